// Package feature turns documents into rows of the model's input, by the
// columns of a bundle's manifest. SPEC.md of package bundle says what a column
// makes of a value; here is one file for each kind.
//
//  1. plan.go: the columns, compiled once; a document passes them all
//  2. number.go, category.go, template.go: the kinds; words.go: a category's codes
//  3. root.go: what a document is that is no object
package feature
