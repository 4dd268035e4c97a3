// Package feature turns documents into rows of the model's input, by the
// columns of a bundle's manifest. SPEC.md of package bundle says what a column
// makes of a value; here is one file for each kind.
//
//  1. plan.go: the columns, compiled once; a document passes them all
//  2. place.go: where a column's value is; standin.go: what there is where it is
//     missing or null
//  3. reading.go: a number out of a value; time.go: a part of a time
//  4. number.go, category.go, template.go, word.go, entry.go, constant.go: the
//     kinds, a number or a code each; words.go: a category's codes
//  5. root.go: what a document is that is no object
package feature
