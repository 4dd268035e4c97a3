#include "trees.h"

#include <stdlib.h>
#include <string.h>

// Where the processor has wider vectors, the loops are compiled for them as well, and chosen when the library is loaded.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(SKIFF_NO_CLONES)
#define WIDE __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define WIDE
#endif

enum {
  LANES = 64,       // rows an operation does at once
  TILE = 8 * LANES, // rows that go through all trees together
  GROUP = 16,       // rows that walk down a tree together, or trees that a row does
  FEW = 12,         // rows up to which walking is faster
  LEAVES = 256,     // of a tree of operations
  SLOTS = 8,        // what it takes at most: its leaves' logarithm
  VIEWS = 0x8000,
};

#define LEAF 0x80000000u

struct source {
  uint32_t column, matches, first, cuts, view, views;
};

struct view {
  int32_t kind, base, nan;
};

// An operation with all places in the arena.
struct operation {
  uint32_t x, yes, no, to;
  int8_t a, b; // shifted by 128, so that signed bytes can be compared
  uint8_t yes_step, no_step;
};

// Where the answer is no, the row goes to the node after next. A leaf's next is the place of its first number.
struct node {
  uint32_t question, next;
};

struct tree {
  uint32_t node, leaf, leaves, operation;
  int32_t output;
};

struct skiff_trees {
  size_t columns, outputs, sources, trees;
  int single;
  double divisor;
  struct source *source;
  double *cuts;
  struct view *view;
  uint8_t *bits;
  struct operation *operation;
  struct node *node;
  struct tree *tree;
  double *leaf, *base;
  float *leaf32; // where sums are float32
  // Of a tile.
  uint8_t *arena; // the numbers of leaves [LEAVES, LANES], the slots [SLOTS, TILE], the views [views, TILE]
  uint8_t *slots, *views;
  double *sum; // [outputs, TILE]
  float *sum32;
  double number[TILE];
  int32_t position[TILE];
  uint32_t at[TILE];
};

// The number of cuts that are < x, for each of n numbers; 0 for NaN. All rows take the same steps.
WIDE static void search(const double *cuts, uint32_t count, const double *restrict x, int32_t *restrict position, size_t n) {
  for (size_t i = 0; i < n; i++) position[i] = 0;
  while (count > 1) {
    uint32_t half = count / 2;
    for (size_t i = 0; i < n; i++) position[i] += cuts[position[i] + (int32_t)half - 1] < x[i] ? (int32_t)half : 0;
    count -= half;
  }
  if (count == 1)
    for (size_t i = 0; i < n; i++) position[i] += cuts[position[i]] < x[i];
}

// Where NaN is: before all positions.
WIDE static void mark(const double *restrict x, int32_t *restrict position, size_t n) {
  for (size_t i = 0; i < n; i++) position[i] = x[i] == x[i] ? position[i] : -1;
}

WIDE static void rank(const int32_t *restrict position, int32_t base, int32_t nan, uint8_t *restrict to, size_t n) {
  for (size_t i = 0; i < n; i++) {
    int32_t p = position[i], at = p - base;
    at = at < 0 ? 0 : at > 255 ? 255 : at;
    to[i] = (uint8_t)(p < 0 ? nan : at);
  }
}

WIDE static void equals(const int32_t *restrict position, int32_t base, uint8_t *restrict to, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t at = (uint32_t)position[i] - (uint32_t)base;
    to[i] = (uint8_t)(position[i] < 0 || at > 254 ? 255 : at);
  }
}

static void set(const uint8_t *bits, const int32_t *position, uint32_t base, uint32_t cuts, uint8_t *to, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bit = base + (position[i] < 0 ? cuts + 1 : (uint32_t)position[i]);
    to[i] = bits[bit / 8] >> bit % 8 & 1;
  }
}

// Makes the views of n rows of X.
static void look(struct skiff_trees *t, const double *x, size_t rows, size_t columns, size_t n) {
  for (size_t s = 0; s < t->sources; s++) {
    const struct source *source = &t->source[s];
    const double *cuts = t->cuts + source->first;
    for (size_t i = 0; i < rows; i++) t->number[i] = x[i * columns + source->column];
    for (size_t i = rows; i < n; i++) t->number[i] = 0;
    search(cuts, source->cuts, t->number, t->position, n);
    if (source->matches)
      for (size_t i = 0; i < n; i++)
        if (t->position[i] < (int32_t)source->cuts && cuts[t->position[i]] != t->number[i]) t->position[i] = (int32_t)source->cuts;
    mark(t->number, t->position, n);
    for (size_t v = source->view; v < source->view + source->views; v++) {
      const struct view *view = &t->view[v];
      uint8_t *to = t->views + v * TILE;
      if (view->kind == SKIFF_RANK) rank(t->position, view->base, view->nan, to, n);
      else if (view->kind == SKIFF_EQUALS) equals(t->position, view->base, to, n);
      else set(t->bits, t->position, (uint32_t)view->base, source->cuts, to, n);
    }
  }
}

// Blends the numbers of leaves by the answers of a tree's questions.
WIDE static void blend(uint8_t *arena, const struct operation *operation, size_t count, size_t n) {
  for (size_t k = 0; k < count; k++) {
    const struct operation *o = &operation[k];
    const int8_t *x = (const int8_t *)arena + o->x;
    const uint8_t *yes = arena + o->yes, *no = arena + o->no;
    uint8_t *to = arena + o->to;
    int8_t a = o->a, b = o->b;
    for (size_t v = 0; v < n; v += LANES) {
#pragma GCC ivdep
      for (size_t i = 0; i < LANES; i++) {
        uint8_t is_no = (int8_t)(x[i] - a) > b ? 255 : 0; // both sides are read: a choice of what to read is a branch
        to[i] = (uint8_t)((no[i] & is_no) | (yes[i] & ~is_no));
      }
      x += LANES, to += LANES, yes += o->yes_step, no += o->no_step;
    }
  }
}

// A step down a tree; a leaf is not left.
static inline uint32_t step(const struct node *nodes, uint32_t here, const uint8_t *views) {
  struct node node = nodes[here];
  uint8_t x = views[(node.question >> 16 & (VIEWS - 1)) * TILE];
  uint32_t next = node.next + ((uint8_t)(x - (node.question >> 8)) > (uint8_t)node.question);
  return node.question & LEAF ? here : next;
}

// Walks down a tree with n rows; the leaf that each comes to.
static void walk(const uint8_t *views, const struct node *nodes, uint32_t root, uint32_t *at, size_t n) {
  for (size_t r = 0; r < n; r += GROUP) {
    uint32_t here[GROUP], moved;
    for (size_t k = 0; k < GROUP; k++) here[k] = root;
    do {
      moved = 0;
      for (size_t k = 0; k < GROUP; k++) {
        uint32_t next = step(nodes, here[k], views + r + k);
        moved |= next ^ here[k];
        here[k] = next;
      }
    } while (moved);
    for (size_t k = 0; k < GROUP; k++) at[r + k] = nodes[here[k]].next;
  }
}

// Adds what the leaves say to the sums; a leaf has so many numbers.
#define ADD(real, blended, walked)                                                                            \
  WIDE static void blended(real *restrict sum, const real *restrict leaf, const uint8_t *restrict at, size_t each, size_t n) { \
    if (each == 1)                                                                                            \
      for (size_t i = 0; i < n; i++) sum[i] += leaf[at[i]];                                                   \
    else                                                                                                      \
      for (size_t i = 0; i < n; i++) sum[i] += leaf[at[i] * each];                                            \
  }                                                                                                           \
  WIDE static void walked(real *restrict sum, const real *restrict leaf, const uint32_t *restrict at, size_t n) { \
    for (size_t i = 0; i < n; i++) sum[i] += leaf[at[i]];                                                     \
  }
ADD(double, add_blended, add_walked)
ADD(float, add_blended32, add_walked32)

// Adds a tree to the sums of n rows.
static void add(struct skiff_trees *t, const struct tree *tree, size_t n) {
  size_t each = tree->output < 0 ? t->outputs : 1, first = tree->output < 0 ? 0 : (size_t)tree->output;
  int walks = tree->leaves > LEAVES;
  if (walks) walk(t->views, t->node, tree->node, t->at, n);
  else if (tree->leaves > 1) blend(t->arena, t->operation + tree->operation, tree->leaves - 1, n);
  else memset(t->slots, 0, n);
  for (size_t o = 0; o < each; o++) {
    size_t sum = (first + o) * TILE;
    if (t->single && walks) add_walked32(t->sum32 + sum, t->leaf32 + o, t->at, n);
    else if (t->single) add_blended32(t->sum32 + sum, t->leaf32 + tree->leaf + o, t->slots, each, n);
    else if (walks) add_walked(t->sum + sum, t->leaf + o, t->at, n);
    else add_blended(t->sum + sum, t->leaf + tree->leaf + o, t->slots, each, n);
  }
}

// Adds all trees to the sums of a row.
static void add_all(struct skiff_trees *t, size_t r) {
  for (size_t first = 0; first < t->trees; first += GROUP) {
    uint32_t here[GROUP], moved;
    size_t count = t->trees - first < GROUP ? t->trees - first : GROUP;
    for (size_t k = 0; k < GROUP; k++) here[k] = t->tree[first + (k < count ? k : 0)].node;
    do {
      moved = 0;
      for (size_t k = 0; k < GROUP; k++) {
        uint32_t next = step(t->node, here[k], t->views + r);
        moved |= next ^ here[k];
        here[k] = next;
      }
    } while (moved);
    for (size_t k = 0; k < count; k++) {
      int32_t output = t->tree[first + k].output;
      size_t leaf = t->node[here[k]].next, each = output < 0 ? t->outputs : 1;
      for (size_t o = 0; o < each; o++) {
        size_t sum = (output < 0 ? o : (size_t)output) * TILE + r;
        if (t->single) t->sum32[sum] += t->leaf32[leaf + o];
        else t->sum[sum] += t->leaf[leaf + o];
      }
    }
  }
}

static void start(struct skiff_trees *t, size_t n) {
  for (size_t o = 0; o < t->outputs; o++)
    for (size_t i = 0; i < n; i++)
      if (t->single) t->sum32[o * TILE + i] = (float)t->base[o];
      else t->sum[o * TILE + i] = t->base[o];
}

static void finish(const struct skiff_trees *t, double *y, size_t rows) {
  for (size_t i = 0; i < rows; i++)
    for (size_t o = 0; o < t->outputs; o++)
      if (t->single) y[i * t->outputs + o] = (double)(t->sum32[o * TILE + i] / (float)t->divisor);
      else y[i * t->outputs + o] = t->sum[o * TILE + i] / t->divisor;
}

void skiff_trees_run(struct skiff_trees *t, const double *x, size_t rows, size_t columns, double *y) {
  for (size_t r = 0; r < rows; r += TILE) {
    size_t here = rows - r < TILE ? rows - r : TILE;
    size_t n = here <= FEW ? here : (here + LANES - 1) / LANES * LANES;
    look(t, x + r * columns, here, columns, n);
    start(t, n);
    if (here <= FEW)
      for (size_t i = 0; i < n; i++) add_all(t, i);
    else
      for (size_t k = 0; k < t->trees; k++) add(t, &t->tree[k], n);
    finish(t, y + r * t->outputs, here);
  }
}

size_t skiff_trees_columns(const struct skiff_trees *t) { return t->columns; }
size_t skiff_trees_outputs(const struct skiff_trees *t) { return t->outputs; }

void skiff_trees_free(struct skiff_trees *t) {
  if (!t) return;
  free(t->source), free(t->cuts), free(t->view), free(t->bits), free(t->node), free(t->tree), free(t->operation);
  free(t->leaf), free(t->leaf32), free(t->base), free(t->arena), free(t->sum), free(t->sum32);
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

static const char *make_sources(struct skiff_trees *t, const struct skiff_forest *f) {
  const int32_t(*row)[4] = f->sources.data;
  const int32_t(*view)[3] = f->views.data;
  size_t cut = 0, seen = 0;
  for (size_t s = 0; s < f->sources.count; s++) {
    int32_t column = row[s][0], kind = row[s][1], cuts = row[s][2], views = row[s][3];
    if (column < 0 || column == INT32_MAX) return "a source's column";
    if (kind != SKIFF_ORDER && kind != SKIFF_MATCH) return "what a source's positions are";
    if (cuts < 0 || (size_t)cuts > f->cuts.count - cut) return "a source's cuts";
    if (views < 0 || (size_t)views > f->views.count - seen) return "a source's views";
    t->source[s] = (struct source){(uint32_t)column, kind == SKIFF_MATCH, (uint32_t)cut, (uint32_t)cuts, (uint32_t)seen, (uint32_t)views};
    if (t->columns <= (size_t)column) t->columns = (size_t)column + 1;
    cut += (size_t)cuts;
    for (size_t last = seen + (size_t)views; seen < last; seen++) {
      int32_t base = view[seen][1];
      if (view[seen][0] < SKIFF_RANK || view[seen][0] > SKIFF_SET) return "a view's kind";
      if (base < 0 || base > INT32_MAX / 2) return "a view's base";
      // Positions go from 0 to the number of cuts, and NaN's is one more.
      if (view[seen][0] == SKIFF_SET && (size_t)base + (size_t)cuts + 2 > f->bits.count * 8) return "a view's bits";
      t->view[seen] = (struct view){view[seen][0], base, view[seen][2]};
    }
  }
  return seen == f->views.count ? NULL : "a view of no source";
}

// Makes a tree's operations of its nodes, children first. Of two children the one that takes more slots is first, and
// leaves its answer in the slot of the parent's.
static size_t make_operations(struct skiff_trees *t, const struct tree *tree, size_t made) {
  const struct node *nodes = t->node + tree->node;
  uint8_t slots[2 * LEAVES] = {0}, number[2 * LEAVES] = {0};
  uint32_t count = 2 * tree->leaves - 1, leaf = 0;
  for (uint32_t k = 0; k < count; k++)
    if (nodes[k].question & LEAF) number[k] = (uint8_t)leaf++;
  for (uint32_t k = count; k-- > 0;) {
    if (nodes[k].question & LEAF) continue;
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
    uint32_t question = nodes[k].question;
    t->operation[made++] = (struct operation){
        .x = LEAVES * LANES + SLOTS * TILE + (question >> 16) * TILE, .to = LEAVES * LANES + slot * TILE,
        .yes = place[0], .no = place[1], .yes_step = slots[yes] ? LANES : 0, .no_step = slots[no] ? LANES : 0,
        .a = (int8_t)((int)(question >> 8 & 255) - 128), .b = (int8_t)((int)(question & 255) - 128)};
  }
  return made;
}

// A tree ends where every question has had its two nodes: the way from its root is only ever down.
static const char *make_trees(struct skiff_trees *t, const struct skiff_forest *f) {
  const uint32_t *question = f->nodes.data;
  const int32_t *output = f->trees.data;
  size_t node = 0, leaf = 0, operations = 0;
  for (size_t k = 0; k < f->trees.count; k++) {
    if (output[k] < -1 || output[k] >= (int64_t)t->outputs) return "a tree's output";
    size_t each = output[k] < 0 ? t->outputs : 1, end = node + 1, first = leaf;
    struct tree *tree = &t->tree[k];
    *tree = (struct tree){.node = (uint32_t)node, .leaf = (uint32_t)leaf, .operation = (uint32_t)operations, .output = output[k]};
    for (; node < end; node++) {
      if (node >= f->nodes.count) return "a tree without an end";
      int is_leaf = question[node] >= LEAF;
      if (!is_leaf && question[node] >> 16 >= f->views.count) return "a node's view";
      t->node[node] = (struct node){is_leaf ? LEAF : question[node], (uint32_t)(is_leaf ? leaf : end)};
      if (is_leaf) leaf += each;
      else end += 2;
      if (leaf > f->leaves.count) return "a tree's leaves";
    }
    tree->leaves = (uint32_t)((leaf - first) / each);
    if (tree->leaves > 1 && tree->leaves <= LEAVES) operations = make_operations(t, tree, operations);
  }
  return node == f->nodes.count ? NULL : "a node of no tree";
}

static const char *make(struct skiff_trees *t, const struct skiff_forest *f) {
  if (f->views.count >= VIEWS) return "too many views";
  if (f->base.count < 1 || f->base.count > 0xffff) return "the outputs";
  if (f->nodes.count > INT32_MAX || f->leaves.count > INT32_MAX || f->bits.count > INT32_MAX) return "too much";
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
  t->arena = array(LEAVES * LANES + (SLOTS + f->views.count + 1) * TILE, 1); // a leaf asks, and is not heard
  t->sum = array(f->single ? 0 : t->outputs * TILE, sizeof *t->sum);
  t->sum32 = array(f->single ? t->outputs * TILE : 0, sizeof *t->sum32);
  if (!t->source || !t->cuts || !t->view || !t->bits || !t->node || !t->tree || !t->operation || !t->leaf || !t->leaf32 ||
      !t->base || !t->arena || !t->sum || !t->sum32)
    return "no memory";
  for (size_t k = 0; k < LEAVES; k++) memset(t->arena + k * LANES, (int)k, LANES);
  t->slots = t->arena + LEAVES * LANES, t->views = t->slots + SLOTS * TILE;
  for (size_t k = 0; f->single && k < f->leaves.count; k++) t->leaf32[k] = (float)t->leaf[k];
  const char *error = make_sources(t, f);
  return error ? error : make_trees(t, f);
}

struct skiff_trees *skiff_trees_new(const struct skiff_forest *forest, const char **error) {
  struct skiff_trees *t = calloc(1, sizeof *t);
  *error = t ? make(t, forest) : "no memory";
  if (!*error) return t;
  skiff_trees_free(t);
  return NULL;
}
