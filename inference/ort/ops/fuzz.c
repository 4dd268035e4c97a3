// Makes forests of arrays at random, most of them altered, and runs those that are taken: fuzz TURNS SEED. It is for the
// sanitizers to find something; it prints how many were taken of the whole ones and of the altered ones.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trees.h"

static uint64_t state;

static uint32_t draw(uint32_t below) { // xorshift
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return below ? (uint32_t)(state >> 32) % below : 0;
}

static double number(void) {
  static const double odd[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 1e308, -1e308, 5e-324};
  return draw(4) ? (double)draw(2000) / 8 - 100 : odd[draw(8)];
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

// An array of its own memory, so that each byte outside of it is found.
static void *fill(struct skiff_array *array, size_t count, size_t size) {
  array->count = count;
  void *made = calloc(count ? count : 1, size);
  array->data = made;
  return made;
}

static void nodes(struct skiff_forest *f, const int32_t (*view)[3], uint32_t views) {
  uint32_t trees = 1 + draw(6), outputs = 1 + draw(3), *question = fill(&f->nodes, 1 << 14, 4), at = 0;
  int32_t *output = fill(&f->trees, trees, 4);
  size_t leaves = 0;
  for (uint32_t k = 0; k < trees; k++) {
    output[k] = (int32_t)draw(outputs + 1) - 1;
    uint32_t most = draw(2) ? draw(20) : draw(600);
    for (uint32_t end = at + 1; at < end; at++) {
      if (views && most && (draw(8) || end == at + 1)) {
        uint32_t of = draw(views);
        question[at] = of << 8 | (view[of][0] == SKIFF_SET ? 0 : draw(255));
        end += 2, most--;
      } else {
        question[at] = 0x80000000u;
        leaves += output[k] < 0 ? outputs : 1;
      }
    }
  }
  f->nodes.count = at;
  f->nodes.data = realloc(question, at * 4);
  double *leaf = fill(&f->leaves, leaves, 8), *base = fill(&f->base, outputs, 8);
  for (size_t k = 0; k < leaves; k++) leaf[k] = number();
  for (size_t k = 0; k < outputs; k++) base[k] = number();
}

static void forest(struct skiff_forest *f) {
  *f = (struct skiff_forest){.divisor = 1 + draw(3), .single = (int)draw(2)};
  uint32_t sources = draw(5);
  int32_t(*source)[4] = fill(&f->sources, sources, sizeof *source), (*view)[3] = fill(&f->views, 64, sizeof *view);
  double *cuts = fill(&f->cuts, 5 * 700, 8);
  uint32_t cut = 0, seen = 0, bits = 0;
  for (uint32_t s = 0; s < sources; s++) {
    uint32_t count = draw(2) ? draw(10) : draw(700), of = 1 + draw(4);
    for (uint32_t k = 0; k < count; k++) cuts[cut + k] = (double)draw(2000) / 8 - 100;
    qsort(cuts + cut, count, 8, ascending);
    memcpy(source[s], (int32_t[]){(int32_t)draw(6), (int32_t)draw(2), (int32_t)count, (int32_t)of}, sizeof *source);
    for (uint32_t k = 0; k < of; k++, seen++) {
      int32_t kind = (int32_t)draw(3);
      memcpy(view[seen], (int32_t[]){kind, kind == SKIFF_SET ? (int32_t)bits : (int32_t)draw(3) * 255, draw(2) ? 255 : 0}, sizeof *view);
      if (kind == SKIFF_SET) bits += count + 2;
    }
    cut += count;
  }
  f->cuts = (struct skiff_array){realloc(cuts, cut ? cut * 8 : 1), cut};
  f->views = (struct skiff_array){realloc(view, seen ? seen * sizeof *view : 1), seen};
  uint8_t *bit = fill(&f->bits, (bits + 7) / 8, 1);
  for (size_t k = 0; k < f->bits.count; k++) bit[k] = (uint8_t)draw(256);
  nodes(f, f->views.data, seen);
}

static void alter(struct skiff_array *array, size_t size) {
  uint8_t *data = (uint8_t *)array->data;
  if (!array->count) return;
  if (draw(3) == 0) array->count = draw(2) ? array->count - 1 : draw((uint32_t)array->count);
  else if (draw(2)) data[draw((uint32_t)(array->count * size))] ^= (uint8_t)(1u << draw(8));
  else if (size >= 4) memset(data + draw((uint32_t)(array->count * size / 4)) * 4, draw(2) ? 255 : 127, 4);
}

int main(int count, char **args) {
  unsigned long turns = count > 1 ? strtoul(args[1], NULL, 10) : 1000, taken[2] = {0}, made[2] = {0};
  state = (count > 2 ? strtoul(args[2], NULL, 10) : 1) * 0x9e3779b97f4a7c15u + 1;
  for (unsigned long turn = 0; turn < turns; turn++) {
    struct skiff_forest f;
    forest(&f);
    struct {
      struct skiff_array *array;
      size_t size;
    } arrays[] = {{&f.sources, 16}, {&f.cuts, 8}, {&f.views, 12}, {&f.bits, 1}, {&f.nodes, 4}, {&f.trees, 4}, {&f.leaves, 8}, {&f.base, 8}};
    int altered = draw(4) != 0;
    for (uint32_t k = altered ? 1 + draw(3) : 0; k > 0; k--) {
      size_t of = draw(8);
      alter(arrays[of].array, arrays[of].size);
    }
    const char *error = NULL;
    struct skiff_trees *trees = skiff_trees_new(&f, &error);
    made[altered]++, taken[altered] += trees != NULL;
    for (size_t k = 0; k < 8; k++) free((void *)arrays[k].array->data);
    static const size_t sizes[] = {0, 1, 8, 33, 63, 64, 65, 1025};
    for (size_t k = 0; trees && k < 2 && skiff_trees_columns(trees) < 1000; k++) {
      size_t rows = sizes[draw(8)], columns = skiff_trees_columns(trees) + draw(2), outputs = skiff_trees_outputs(trees);
      double *x = malloc(rows * columns * 8 + 1), *y = malloc(rows * outputs * 8 + 1);
      for (size_t i = 0; i < rows * columns; i++) x[i] = number();
      skiff_trees_run(trees, x, rows, columns, y);
      free(x), free(y);
    }
    skiff_trees_free(trees);
  }
  printf("%lu of %lu whole, %lu of %lu altered\n", taken[0], made[0], taken[1], made[1]);
  return taken[0] == made[0] ? 0 : 1;
}
