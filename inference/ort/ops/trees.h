// Sums of decision trees, exact to the bit, many rows at a time. Knows nothing of onnxruntime: ops.c does.
//
// Numbers become small integers first. A source is a column of X and ascending cuts; a number has a position among them.
// A view is a byte of each row made of that position, and every question of a tree is whether such a byte is > or != another.
//
// A tree of 256 leaves or less becomes a list of operations, children first: all of its questions are answered for all
// rows, 64 at a time, and bytes that say which leaf it is are blended by the answers, without a branch. A larger tree is
// walked down by 16 rows at a time, and where there are few rows, 16 trees are by one.
#ifndef SKIFF_TREES_H
#define SKIFF_TREES_H

#include <stddef.h>
#include <stdint.h>

// What a source's positions are. ORDER: how many cuts are < x. MATCH: the place of the cut that x equals; their count
// where there is none.
enum { SKIFF_ORDER, SKIFF_MATCH };

// What a view makes of the position p, and of NaN.
// RANK:   p - base, held within 0 and 255; NaN is the view's nan, 0 or 255.
// EQUALS: p - base where that is 0 to 254, else 255; NaN is 255.
// SET:    bit base + p of bits; NaN is bit base + count + 1.
enum { SKIFF_RANK, SKIFF_EQUALS, SKIFF_SET };

// An array of a forest as it comes, not to be believed: of count rows.
struct skiff_array {
  const void *data;
  size_t count;
};

// What a forest is made of. The arrays are only read while it is made.
struct skiff_forest {
  struct skiff_array sources; // int32 [n, 4]: column, what positions are, how many cuts (65,534 at most), how many views
  struct skiff_array cuts;    // double, each source's after those of the one before
  struct skiff_array views;   // int32 [n, 3]: kind, base, nan; likewise
  struct skiff_array bits;    // uint8, the lowest bit first
  // Nodes, uint32: a question, view << 8 | than; or 2^31, a leaf. A tree's stand level by level: for each question of a
  // level in turn, the node for x <= than (x == than of EQUALS), then the one for the rest.
  struct skiff_array nodes;
  // Trees, int32: the output that each adds to; -1 is all of them, its leaves having as many numbers.
  struct skiff_array trees;
  struct skiff_array leaves; // double, in the order of the nodes
  struct skiff_array base;   // double, one an output: what sums start from
  double divisor;            // of the sums
  int single;                // whether sums are float32
};

// A forest ready to run.
struct skiff_trees;

// Makes a forest. NULL, and why in *error, where the arrays contradict each other or there is no memory: nothing that
// is in them makes it read or write outside of them later.
struct skiff_trees *skiff_trees_new(const struct skiff_forest *forest, const char **error);

void skiff_trees_free(struct skiff_trees *trees);

// How many columns X has at least, and how many numbers y has a row.
size_t skiff_trees_columns(const struct skiff_trees *trees);
size_t skiff_trees_outputs(const struct skiff_trees *trees);

// Computes y [rows, outputs] of X [rows, columns], row by row in memory. One call at a time: it has memory of its own.
void skiff_trees_run(struct skiff_trees *trees, const double *x, size_t rows, size_t columns, double *y);

#endif
