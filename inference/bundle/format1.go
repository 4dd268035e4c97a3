package bundle

import "errors"

// manifest1 is a manifest of format 1: one predicted number, and two rules
// unsaid. A category's absent value was spelled as a number's; and what a
// category makes of a number followed from the next column, which read it if it
// had the same name.
type manifest1 struct {
	Header
	Prediction struct {
		Name string `json:"name"`
		Unit string `json:"unit"`
	} `json:"prediction"`
	Columns []Column `json:"columns"`
}

// upgrade returns what it means in format 2.
func (m *manifest1) upgrade() (*manifest2, error) {
	for i := range m.Columns {
		c := &m.Columns[i]
		if c.Other != "" {
			return nil, columnError(i, c, errors.New("other is a rule of format 2"))
		}
		if c.Kind != Category {
			continue
		}
		switch c.Missing {
		case Zero:
			c.Missing = None
		case None:
			return nil, columnError(i, c, errors.New("missing is none from format 2 on"))
		}
		if len(c.Path) > 0 {
			c.Other = Unknown
			if i+1 < len(m.Columns) && m.Columns[i+1].Name == c.Name {
				c.Other = None
			}
		}
	}
	return &manifest2{
		Header:  m.Header,
		Outputs: []Output{{Name: m.Prediction.Name, Kind: Number, Width: 1, Unit: m.Prediction.Unit}},
		Columns: m.Columns,
	}, nil
}
