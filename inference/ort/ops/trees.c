// Runs forests.
#include <string.h>

#include "forest.h"

// Where the processor has wider vectors, the loops are compiled for them as well, and chosen when the library is loaded.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(SKIFF_NO_CLONES)
#define WIDE __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define WIDE
#endif

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

// Whether a row is not in a set; a position below 0 is NaN's.
static inline uint8_t outside(const struct skiff_trees *t, const struct source *source, const struct view *view, int32_t position) {
  uint32_t bit = (uint32_t)view->base + (position < 0 ? source->cuts + 1 : (uint32_t)position);
  return t->bits[bit / 8] >> bit % 8 & 1;
}

// Makes the bytes that operations read, of the positions of n rows.
static void make_bytes(struct skiff_trees *t, const struct source *source, size_t n) {
  for (size_t v = source->view; v < source->view + source->views; v++) {
    const struct view *view = &t->view[v];
    uint8_t *to = t->views + (size_t)view->place * TILE;
    if (view->place == NONE) continue;
    if (view->kind == SKIFF_RANK) rank(t->position, view->base, view->nan, to, n);
    else if (view->kind == SKIFF_EQUALS) equals(t->position, view->base, to, n);
    else
      for (size_t i = 0; i < n; i++) to[i] = outside(t, source, view, t->position[i]);
  }
}

// Makes what nodes read, likewise.
static void make_rows(struct skiff_trees *t, const struct source *source, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint16_t *row = t->rows + i * t->slots;
    int32_t position = t->position[i];
    if (source->low != NONE) row[source->low] = (uint16_t)(position < 0 ? 0 : position);
    if (source->high != NONE) row[source->high] = (uint16_t)position;
  }
  for (size_t v = source->view; v < source->view + source->views; v++)
    if (t->view[v].slot != NONE)
      for (size_t i = 0; i < n; i++) t->rows[i * t->slots + (size_t)t->view[v].slot] = outside(t, source, &t->view[v], t->position[i]);
}

// Looks up n rows of X, of which rows are there.
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
    if (rows > t->few) make_bytes(t, source, n);
    if (rows <= t->few || t->walks) make_rows(t, source, n);
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

// A step of a row down a tree; a leaf is not left.
static inline uint32_t step(const struct node *nodes, uint32_t here, const uint16_t *row) {
  struct node node = nodes[here];
  uint32_t x = row[node.slot & (EQUAL - 1)], no = node.slot & EQUAL ? x != node.than : x > node.than;
  return node.slot & LEAF ? here : node.next + no;
}

// Walks down from GROUP nodes, each with a row, until all are at leaves.
static inline void walk(const struct node *nodes, uint32_t *here, const uint16_t *rows, size_t stride) {
  for (uint32_t moved = 1; moved;) {
    moved = 0;
    for (size_t k = 0; k < GROUP; k++) {
      uint32_t next = step(nodes, here[k], rows + k * stride);
      moved |= next ^ here[k];
      here[k] = next;
    }
  }
}

// The leaf of a tree that each of n rows comes to.
static void walk_rows(const struct skiff_trees *t, uint32_t root, uint32_t *at, size_t n) {
  for (size_t r = 0; r < n; r += GROUP) {
    for (size_t k = 0; k < GROUP; k++) at[r + k] = root;
    walk(t->node, at + r, t->rows + r * t->slots, t->slots);
    for (size_t k = 0; k < GROUP; k++) at[r + k] = t->node[at[r + k]].next;
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

// Adds a tree to the sums of rows, of n with what fills the lanes.
static void add(struct skiff_trees *t, const struct tree *tree, size_t rows, size_t n) {
  size_t each = tree->output < 0 ? t->outputs : 1, first = tree->output < 0 ? 0 : (size_t)tree->output;
  int walks = tree->leaves > LEAVES;
  if (walks) walk_rows(t, tree->node, t->at, n = (rows + GROUP - 1) / GROUP * GROUP);
  else if (tree->leaves > 1) blend(t->arena, t->operation + tree->operation, tree->leaves - 1, n);
  else memset(t->blended, 0, n);
  for (size_t o = 0; o < each; o++) {
    size_t sum = (first + o) * TILE;
    if (t->single && walks) add_walked32(t->sum32 + sum, t->leaf32 + o, t->at, n);
    else if (t->single) add_blended32(t->sum32 + sum, t->leaf32 + tree->leaf + o, t->blended, each, n);
    else if (walks) add_walked(t->sum + sum, t->leaf + o, t->at, n);
    else add_blended(t->sum + sum, t->leaf + tree->leaf + o, t->blended, each, n);
  }
}

// Adds all trees to the sums of a row.
static void add_all(struct skiff_trees *t, size_t r) {
  for (size_t first = 0; first < t->trees; first += GROUP) {
    uint32_t here[GROUP];
    size_t count = t->trees - first < GROUP ? t->trees - first : GROUP;
    for (size_t k = 0; k < GROUP; k++) here[k] = t->tree[first + (k < count ? k : 0)].node;
    walk(t->node, here, t->rows + r * t->slots, 0);
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
    size_t n = here <= t->few ? here : (here + LANES - 1) / LANES * LANES;
    look(t, x + r * columns, here, columns, n);
    start(t, n);
    if (here <= t->few)
      for (size_t i = 0; i < n; i++) add_all(t, i);
    else
      for (size_t k = 0; k < t->trees; k++) add(t, &t->tree[k], here, n);
    finish(t, y + r * t->outputs, here);
  }
}
