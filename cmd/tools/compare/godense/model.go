package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	ort "github.com/yalue/onnxruntime_go"
)

// maxRows is how many rows are scored in one run: 31 MB of X, whatever the
// batch.
const maxRows = 1024

// A model is sklearn-onnx's graph, and the columns of its dense rows.
type model struct {
	session *ort.DynamicAdvancedSession
	columns columns
	x       []float32 // [maxRows, columns], all zero between runs
}

// columns are python/dense.py's.
type columns struct {
	Pairs        map[string]int `json:"pairs"` // 130_205 to its column
	TripDistance int            `json:"trip_distance"`
	Columns      int            `json:"columns"`
}

func loadModel(folder, library string) (*model, error) {
	m := &model{}
	raw, err := os.ReadFile(filepath.Join(folder, "columns.json"))
	if err != nil {
		return nil, fmt.Errorf("reading the columns: %w", err)
	}
	if err := json.Unmarshal(raw, &m.columns); err != nil {
		return nil, fmt.Errorf("reading the columns: %w", err)
	}
	m.x = make([]float32, maxRows*m.columns.Columns)
	ort.SetSharedLibraryPath(library)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return nil, fmt.Errorf("loading onnxruntime: %w", err)
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("making session options: %w", err)
	}
	defer options.Destroy() //nolint:errcheck // frees memory, fails only when freed twice
	if err := errors.Join(options.SetIntraOpNumThreads(1), options.SetInterOpNumThreads(1)); err != nil {
		return nil, fmt.Errorf("setting session options: %w", err)
	}
	m.session, err = ort.NewDynamicAdvancedSession(filepath.Join(folder, "dense.onnx"), []string{"X"}, []string{"variable"}, options)
	if err != nil {
		return nil, fmt.Errorf("loading the model: %w", err)
	}
	return m, nil
}

// predict returns minutes, one a ride.
func (m *model) predict(rides []rideEvent) ([]float32, error) {
	minutes := make([]float32, 0, len(rides))
	for len(rides) > 0 {
		n := min(len(rides), maxRows)
		scored, err := m.score(rides[:n])
		if err != nil {
			return nil, fmt.Errorf("scoring %d rides: %w", n, err)
		}
		minutes, rides = append(minutes, scored...), rides[n:]
	}
	return minutes, nil
}

// score predicts at most maxRows rides. Writing two values a row and taking
// one back is quicker than 31 kB of new zeros.
func (m *model) score(rides []rideEvent) ([]float32, error) {
	width := m.columns.Columns
	set := make([]int, 0, len(rides))
	for i := range rides {
		r := &rides[i].Ride
		pair := strconv.Itoa(r.PULocationID) + "_" + strconv.Itoa(r.DOLocationID)
		if column, known := m.columns.Pairs[pair]; known {
			m.x[i*width+column] = 1
			set = append(set, i*width+column)
		}
		m.x[i*width+m.columns.TripDistance] = float32(r.TripDistance)
	}
	defer func() {
		for _, at := range set {
			m.x[at] = 0
		}
	}()
	x, err := ort.NewTensor(ort.NewShape(int64(len(rides)), int64(width)), m.x[:len(rides)*width])
	if err != nil {
		return nil, err
	}
	defer x.Destroy() //nolint:errcheck // frees memory, fails only when freed twice
	y, err := ort.NewEmptyTensor[float32](ort.NewShape(int64(len(rides)), 1))
	if err != nil {
		return nil, err
	}
	defer y.Destroy() //nolint:errcheck // frees memory, fails only when freed twice
	if err := m.session.Run([]ort.Value{x}, []ort.Value{y}); err != nil {
		return nil, err
	}
	return append([]float32(nil), y.GetData()...), nil
}
