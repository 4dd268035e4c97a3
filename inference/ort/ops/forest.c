// Makes forests of arrays that are not to be believed: each place that running goes to is checked here.
#include "forest.h"

#include <stdlib.h>
#include <string.h>

size_t skiff_trees_columns(const struct skiff_trees *t) { return t->columns; }
size_t skiff_trees_outputs(const struct skiff_trees *t) { return t->outputs; }

void skiff_trees_free(struct skiff_trees *t) {
  if (!t) return;
  free(t->source), free(t->cuts), free(t->view), free(t->bits), free(t->node), free(t->tree), free(t->operation);
  free(t->leaf), free(t->leaf32), free(t->base), free(t->arena), free(t->rows), free(t->sum), free(t->sum32);
  free(t);
}

// Memory for count things of a size, and never none of it; whole cache lines, as vectors like them.
static void *array(size_t count, size_t size) {
  if (count > SIZE_MAX / 2 / size) return NULL;
  size_t bytes = (count * size + LANES) / LANES * LANES;
  void *made = aligned_alloc(LANES, bytes);
  if (made) memset(made, 0, bytes);
  return made;
}

static void *copy(const struct skiff_array *from, size_t size) {
  void *made = array(from->count, size);
  if (made && from->count) memcpy(made, from->data, from->count * size);
  return made;
}

static const char *make_sources(struct skiff_trees *t, const struct skiff_forest *f, uint32_t *owner) {
  const int32_t(*row)[4] = f->sources.data;
  const int32_t(*view)[3] = f->views.data;
  size_t cut = 0, seen = 0;
  for (size_t s = 0; s < f->sources.count; s++) {
    int32_t column = row[s][0], kind = row[s][1], cuts = row[s][2], views = row[s][3];
    if (column < 0 || column == INT32_MAX) return "a source's column";
    if (kind != SKIFF_ORDER && kind != SKIFF_MATCH) return "what a source's positions are";
    if (cuts < 0 || cuts > POSITIONS || (size_t)cuts > f->cuts.count - cut) return "a source's cuts";
    if (views < 0 || (size_t)views > f->views.count - seen) return "a source's views";
    struct source *source = &t->source[s];
    *source = (struct source){(uint32_t)column, kind == SKIFF_MATCH, (uint32_t)cut, (uint32_t)cuts, (uint32_t)seen, (uint32_t)views, NONE, NONE};
    if (t->columns <= (size_t)column) t->columns = (size_t)column + 1;
    cut += (size_t)cuts;
    for (size_t end = seen + (size_t)views; seen < end; seen++) {
      int32_t is = view[seen][0], base = view[seen][1], nan = view[seen][2];
      if (is < SKIFF_RANK || is > SKIFF_SET) return "a view's kind";
      if (base < 0 || base > (is == SKIFF_SET ? INT32_MAX / 2 : POSITIONS - 255)) return "a view's base";
      if (nan != 0 && nan != 255) return "a view's nan";
      // Positions go from 0 to the number of cuts, and NaN's is one more.
      if (is == SKIFF_SET && (size_t)base + (size_t)cuts + 2 > f->bits.count * 8) return "a view's bits";
      owner[seen] = (uint32_t)s;
      t->view[seen] = (struct view){is, base, nan, NONE, NONE};
      int32_t *slot = is == SKIFF_SET ? &t->view[seen].slot : is == SKIFF_RANK && !nan ? &source->low : &source->high;
      if (*slot == NONE) *slot = (int32_t)t->slots++;
    }
  }
  if (t->slots >= EQUAL) return "too many views";
  return seen == f->views.count ? NULL : "a view of no source";
}

// Makes a tree's operations of its nodes, children first. Of two children the one that takes more slots is first, and
// leaves its answer in the slot of the parent's.
static size_t make_operations(struct skiff_trees *t, const struct tree *tree, const uint32_t *question, size_t made) {
  const struct node *nodes = t->node + tree->node;
  uint8_t slots[2 * LEAVES] = {0}, number[2 * LEAVES] = {0};
  uint32_t count = 2 * tree->leaves - 1, leaf = 0;
  for (uint32_t k = 0; k < count; k++)
    if (nodes[k].slot & LEAF) number[k] = (uint8_t)leaf++;
  for (uint32_t k = count; k-- > 0;) {
    if (nodes[k].slot & LEAF) continue;
    const uint8_t *of = slots + (nodes[k].next - tree->node);
    slots[k] = (uint8_t)(of[0] == of[1] ? of[0] + 1 : of[0] > of[1] ? of[0] : of[1]);
  }
  struct {
    uint32_t node, slot, ready;
  } stack[2 * LEAVES] = {{0}};
  for (size_t depth = 1; depth;) {
    uint32_t k = stack[depth - 1].node, slot = stack[depth - 1].slot, yes = nodes[k].next - tree->node, no = yes + 1;
    uint32_t most = slots[no] > slots[yes] ? no : yes, place[2];
    if (!stack[depth - 1].ready) {
      stack[depth - 1].ready = 1;
      uint32_t least = yes + no - most;
      if (slots[least]) stack[depth].node = least, stack[depth].slot = slot + 1, stack[depth++].ready = 0;
      if (slots[most]) stack[depth].node = most, stack[depth].slot = slot, stack[depth++].ready = 0;
      continue;
    }
    depth--;
    for (uint32_t side = 0; side < 2; side++) {
      uint32_t child = yes + side, at = child == most ? slot : slot + 1;
      place[side] = slots[child] ? LEAVES * LANES + at * TILE : number[child] * (uint32_t)LANES;
    }
    struct view *view = &t->view[question[k] >> 8];
    int than = question[k] & 255, equals = view->kind == SKIFF_EQUALS;
    if (view->place == NONE) view->place = (int32_t)t->places++;
    t->operation[made++] = (struct operation){
        .x = LEAVES * LANES + SLOTS * TILE + (uint32_t)view->place * TILE, .to = LEAVES * LANES + slot * TILE,
        .yes = place[0], .no = place[1], .yes_step = slots[yes] ? LANES : 0, .no_step = slots[no] ? LANES : 0,
        .a = (int8_t)((equals ? than : 0) - 128), .b = (int8_t)((equals ? 0 : than) - 128)};
  }
  return made;
}

// A node of a question about a view.
static struct node make_node(const struct skiff_trees *t, uint32_t question, const struct source *source) {
  const struct view *view = &t->view[question >> 8];
  uint32_t than = question & 255;
  if (view->kind == SKIFF_SET) return (struct node){(uint16_t)view->slot, (uint16_t)than, 0};
  uint32_t slot = (uint32_t)(view->kind == SKIFF_RANK && !view->nan ? source->low : source->high);
  return (struct node){(uint16_t)(slot | (view->kind == SKIFF_EQUALS ? EQUAL : 0)), (uint16_t)((uint32_t)view->base + than), 0};
}

// A tree ends where every question has had its two nodes: the way from its root is only ever down.
static const char *make_trees(struct skiff_trees *t, const struct skiff_forest *f, const uint32_t *owner) {
  const uint32_t *question = f->nodes.data;
  const int32_t *output = f->trees.data;
  size_t node = 0, leaf = 0, operations = 0, levels = 0;
  for (size_t k = 0; k < f->trees.count; k++) {
    if (output[k] < -1 || output[k] >= (int64_t)t->outputs) return "a tree's output";
    size_t each = output[k] < 0 ? t->outputs : 1, root = node, end = node + 1, next = end, first = leaf, depth = 0;
    struct tree *tree = &t->tree[k];
    *tree = (struct tree){.node = (uint32_t)node, .leaf = (uint32_t)leaf, .operation = (uint32_t)operations, .output = output[k]};
    for (; node < end; node++) {
      if (node >= f->nodes.count) return "a tree without an end";
      if (node == next) depth++, next = end;
      if (question[node] >> 31) {
        t->node[node] = (struct node){LEAF, 0, (uint32_t)leaf};
        if ((leaf += each) > f->leaves.count) return "a tree's leaves";
        continue;
      }
      uint32_t view = question[node] >> 8, than = question[node] & 255;
      if (view >= f->views.count) return "a node's view";
      if (than > (t->view[view].kind == SKIFF_SET ? 0 : 254)) return "a node's question";
      t->node[node] = make_node(t, question[node], &t->source[owner[view]]);
      t->node[node].next = (uint32_t)end;
      end += 2;
    }
    tree->leaves = (uint32_t)((leaf - first) / each);
    if (tree->leaves > LEAVES) t->walks = 1;
    else if (tree->leaves > 1) operations = make_operations(t, tree, question + root, operations), levels += depth;
  }
  // An operation takes LANES rows about 3 ns, a step one row 2 ns.
  t->few = levels ? 3 * operations / (2 * levels) : GROUP - 1;
  t->few = t->few < 1 ? 1 : t->few > FEW ? FEW : t->few;
  return node == f->nodes.count ? NULL : "a node of no tree";
}

static const char *make(struct skiff_trees *t, const struct skiff_forest *f) {
  if (f->base.count < 1 || f->base.count > 0xffff) return "the outputs";
  if (f->nodes.count > INT32_MAX || f->leaves.count > INT32_MAX || f->bits.count > INT32_MAX || f->views.count > 1 << 20)
    return "too much";
  t->outputs = f->base.count, t->sources = f->sources.count, t->trees = f->trees.count;
  t->single = f->single, t->divisor = f->divisor;
  t->source = array(f->sources.count, sizeof *t->source);
  t->cuts = copy(&f->cuts, sizeof *t->cuts);
  t->view = array(f->views.count, sizeof *t->view);
  t->bits = copy(&f->bits, 1);
  t->node = array(f->nodes.count, sizeof *t->node);
  t->tree = array(f->trees.count, sizeof *t->tree);
  t->operation = array(f->nodes.count / 2, sizeof *t->operation);
  t->leaf = copy(&f->leaves, sizeof *t->leaf);
  t->leaf32 = array(f->single ? f->leaves.count : 0, sizeof *t->leaf32);
  t->base = copy(&f->base, sizeof *t->base);
  t->sum = array(f->single ? 0 : t->outputs * TILE, sizeof *t->sum);
  t->sum32 = array(f->single ? t->outputs * TILE : 0, sizeof *t->sum32);
  uint32_t *owner = array(f->views.count, sizeof *owner); // the source of a view
  const char *error = NULL;
  if (!t->source || !t->cuts || !t->view || !t->bits || !t->node || !t->tree || !t->operation || !t->leaf || !t->leaf32 ||
      !t->base || !t->sum || !t->sum32 || !owner)
    error = "no memory";
  for (size_t k = 0; !error && f->single && k < f->leaves.count; k++) t->leaf32[k] = (float)t->leaf[k];
  if (!error) error = make_sources(t, f, owner);
  if (!error) error = make_trees(t, f, owner);
  free(owner);
  if (error) return error;
  t->arena = array(LEAVES * LANES + (SLOTS + t->places) * TILE, 1);
  t->rows = array(TILE * t->slots + 1, sizeof *t->rows); // a leaf asks, and is not heard
  if (!t->arena || !t->rows) return "no memory";
  for (size_t k = 0; k < LEAVES; k++) memset(t->arena + k * LANES, (int)k, LANES);
  t->blended = t->arena + LEAVES * LANES, t->views = t->blended + SLOTS * TILE;
  return NULL;
}

struct skiff_trees *skiff_trees_new(const struct skiff_forest *forest, const char **error) {
  struct skiff_trees *t = calloc(1, sizeof *t);
  *error = t ? make(t, forest) : "no memory";
  if (!*error) return t;
  skiff_trees_free(t);
  return NULL;
}
