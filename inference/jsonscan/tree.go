package jsonscan

// A Kind is the type of a JSON value.
type Kind uint8

// The kinds. A number without fraction and exponent is an integer.
const (
	Absent Kind = iota
	Null
	Boolean
	Integer
	Float
	Text
	List
	Object
)

// String returns the kind's name, for people.
func (k Kind) String() string {
	return [...]string{"nothing", "null", "a boolean", "an integer", "a number", "text", "a list", "an object"}[k]
}

// A Value is where a document holds a value: doc[Start:End] is its JSON text.
type Value struct {
	Kind       Kind
	Escaped    bool // text with a backslash in it
	Start, End int32
}

// Raw returns the JSON text of v in doc.
func (v Value) Raw(doc []byte) []byte { return doc[v.Start:v.End] }

// A Tree holds the paths to look for in a document; each node of it has a slot
// for the value found there. Make one with a [Builder].
type Tree struct {
	key      string
	slot     int
	children []*Tree
	element  *Tree // what to look for in each element of a list; its slots are the last
}

// A Builder makes a Tree out of paths.
type Builder struct {
	root  *Tree
	slots int
}

// NewBuilder returns a builder that knows one place, the document itself, in
// slot 0.
func NewBuilder() *Builder { return &Builder{root: &Tree{}, slots: 1} }

// Tree returns the paths that were added so far.
func (b *Builder) Tree() *Tree { return b.root }

// Slots returns how many values there are to find.
func (b *Builder) Slots() int { return b.slots }

// Add returns the slots along path, from the document's own to the value's.
func (b *Builder) Add(path ...string) []int {
	node := b.root
	slots := []int{node.slot}
	for _, key := range path {
		child := node.child([]byte(key))
		if child == nil {
			child = &Tree{key: key, slot: b.slots}
			b.slots++
			node.children = append(node.children, child)
		}
		node = child
		slots = append(slots, node.slot)
	}
	return slots
}

// Last returns the slot of the value at path.
func (b *Builder) Last(path ...string) int {
	slots := b.Add(path...)
	return slots[len(slots)-1]
}

// Each returns a builder for the elements of the list at path, whose slots
// count from the element's own, 0, as [FindEach] has them. It is called last,
// once.
func (b *Builder) Each(path ...string) *Builder {
	b.Add(path...)
	list := b.root
	for _, key := range path {
		list = list.child([]byte(key))
	}
	list.element = &Tree{}
	return &Builder{root: list.element, slots: 1}
}

func (t *Tree) child(key []byte) *Tree {
	for _, c := range t.children {
		if c.key == string(key) {
			return c
		}
	}
	return nil
}

// forget empties the slots of t and below.
func (t *Tree) forget(found []Value) {
	found[t.slot] = Value{}
	for _, c := range t.children {
		c.forget(found)
	}
}
