package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
)

// coldStarts starts every candidate again and again, for one record each: the
// time from the process's start to its answer. Its files are in the system's
// cache.
func (c *comparison) coldStarts(ctx context.Context, r *Report) error {
	ms := map[string][]float64{}
	for i := range c.starts {
		for _, who := range c.candidates {
			c.progress.Show(fmt.Sprintf("cold start %d of %d: %s", i+1, c.starts, who.who))
			p, err := c.start(ctx, who)
			if err != nil {
				return err
			}
			_, err = p.answer(c.events.of(1), 1)
			took := time.Since(p.began)
			p.stop()
			if err != nil {
				return err
			}
			ms[who.who] = append(ms[who.who], float64(took)/float64(time.Millisecond))
		}
	}
	for who, all := range ms {
		r.cold[who] = measuring.SpreadOf(all)
		r.ColdStart[who] = round(r.cold[who].Median)
	}
	return nil
}

// memory measures what a process has when it has served for a while.
func (c *comparison) memory(ctx context.Context, r *Report) error {
	for _, who := range c.candidates {
		c.progress.Show(who.who + ": serving, for its memory")
		p, err := c.start(ctx, who)
		if err != nil {
			return err
		}
		_, err = p.measure(c.events.of(checkBatch), checkBatch, c.steady)
		mb := 0.0
		if err == nil {
			mb, err = measuring.Memory(p.cmd.Process.Pid, "VmRSS")
		}
		p.stop()
		if err != nil {
			return err
		}
		r.RSS[who.who] = round(mb)
	}
	return nil
}

// disk measures what each candidate needs deployed.
func (c *comparison) disk(ctx context.Context, r *Report) error {
	args := []string{filepath.Join("cmd", "tools", "compare", "python", "packages.py")}
	for _, who := range c.candidates {
		if who.packages != "" {
			args = append(args, who.packages)
		}
	}
	out, err := exec.CommandContext(ctx, c.python3, args...).Output()
	if err != nil {
		return fmt.Errorf("measuring Python packages: %w", err)
	}
	var packages struct {
		Versions map[string]string
		Bytes    map[string]int64
	}
	if err := json.Unmarshal(out, &packages); err != nil {
		return fmt.Errorf("measuring Python packages: %w", err)
	}
	r.versions = packages.Versions
	for _, who := range c.candidates {
		size, err := sizeOf(who.deployed)
		if err != nil {
			return err
		}
		for _, word := range who.command {
			if strings.HasSuffix(word, ".py") {
				code, err := sizeOf([]string{word, filepath.Join(filepath.Dir(word), "serve.py")})
				if err != nil {
					return err
				}
				size += code
			}
		}
		r.Disk[who.who] = round(float64(size+packages.Bytes[who.packages]) / 1e6)
	}
	return nil
}
