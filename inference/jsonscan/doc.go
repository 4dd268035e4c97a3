// Package jsonscan reads JSON in one pass, and keeps of it only what a [Tree]
// asks for. It takes what Python's json module takes, and means the same by it:
// keys are exact, the last of equal keys wins, bad UTF-8 is an error, text
// keeps its escapes until somebody needs it. Unlike Python it takes no NaN and
// no Infinity; encoding/json differs in each of the first three.
//
//  1. tree.go: what to look for, and where it was found
//  2. scan.go: the pass through a document
//  3. escape.go: the text behind a string's escapes, and back
//  4. python.go: Python's str() and repr() of what was found
//  5. explain.go: why a document is no JSON, for people
//  6. split.go: several documents in one text
package jsonscan
