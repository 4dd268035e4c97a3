// A forest ready to run: forest.c makes it, trees.c runs it.
#ifndef SKIFF_FOREST_H
#define SKIFF_FOREST_H

#include "trees.h"

enum {
  LANES = 64,        // rows an operation does at once
  TILE = 16 * LANES, // rows that go through all trees together
  GROUP = 16,        // rows that walk down a tree together, or trees that a row does
  FEW = 32,          // rows that walk down by themselves at most
  LEAVES = 256,      // of a tree of operations
  SLOTS = 8,         // what it takes at most: its leaves' logarithm
  POSITIONS = 65534, // the last there is, above which is NaN's
};

// Of a node: what its slot is marked with.
#define LEAF 0x8000u
#define EQUAL 0x4000u

enum { NONE = -1 }; // of places

struct source {
  uint32_t column, matches, first, cuts, view, views;
  int32_t low, high; // where rows have its positions, NaN being below them or above; or NONE
};

struct view {
  int32_t kind, base, nan;
  int32_t place, slot; // in the bytes, of use to operations, or NONE; of a set, in the rows
};

// An operation with all places in the arena.
struct operation {
  uint32_t x, yes, no, to;
  int8_t a, b; // shifted by 128, so that signed bytes can be compared
  uint8_t yes_step, no_step;
};

// Where what a row has in the slot is > than, or != than where that is EQUAL, the row goes to the node after next. A leaf's
// next is the place of its first number.
struct node {
  uint16_t slot, than;
  uint32_t next;
};

struct tree {
  uint32_t node, leaf, leaves, operation;
  int32_t output;
};

struct skiff_trees {
  size_t columns, outputs, sources, trees, slots, places, few; // few: rows up to which walking is faster
  int single, walks; // whether there are trees of nodes only
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
  uint8_t *arena; // the numbers of leaves [LEAVES, LANES], the slots [SLOTS, TILE], the views [places, TILE]
  uint8_t *blended, *views;
  uint16_t *rows; // positions and answers of sets [TILE, slots]
  double *sum; // [outputs, TILE]
  float *sum32;
  double number[TILE];
  int32_t position[TILE];
  uint32_t at[TILE];
};

#endif
