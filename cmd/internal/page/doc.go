// Package page is a page to look at while a worker works: what flows, how long
// it takes, what goes wrong, and which model serves. It is for a person and a
// browser; nothing on it comes from elsewhere, and a script on it may call
// nobody else.
//
//  1. page.go: what is told of the worker, within bounded memory
//  2. fields.go: a document as its values
//  3. window.go: the last minute of it
//  4. live.go: all of it as one JSON document
//  5. serve.go: that, and the page that asks for it once a second
package page
