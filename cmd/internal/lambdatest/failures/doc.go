// Package failures tests what the worker does when something fails, row by row of the failure policy: a record that can never succeed, a stream
// that does not take what it is given, a dead-letter target that is down, an event of another service, a bundle that is not what it should be.
//
// It is tested twice. In virtual time, in process, an outage lasts as long as in life: mapping, source and engine are the real ones, the model and
// the sinks are not. With the build tag integration the worker is the program that is deployed, over ministack behind a proxy with faults, and
// outages are scaled down: a function's timeout of about a second, pauses of milliseconds, and as many failed invocations as the real outage had.
//
// policy_test.go has docs/operate.md's table of all that, word by word, and the tests that play it: a row that nobody plays is an error, and so is what is
// played and has no row.
package failures
