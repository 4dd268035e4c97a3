// Rows writes the rows of a parquet file as JSON lines, for the worker, which is
// of another module than what reads parquet.
//
//  1. main.go, command.go: what is asked for
//  2. tree.go, want.go: which columns make up a row
//  3. cursor.go: a column's values, page by page
//  4. row.go: values of columns become a row again
//  5. value.go: a value as JSON
package main
