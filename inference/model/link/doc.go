// Package link turns a model's scores into what it predicts, as the original
// libraries do: exp and its kin to the last bit as glibc has them on x86-64
// with FMA, on every processor. Go's own differ in the last bit, and so do
// onnxruntime's. Compared with glibc 2.36 they were equal for every float32,
// and for 200 million float64 of all kinds.
//
//  1. exp.go, exp32.go, expm1.go: the functions; tables.go: their tables, which
//     tables_test.go makes; fast.go: CatBoost's own exp
//  2. probabilities.go: one score, or one a class, to probabilities
//
// The method of exp and exp32, their polynomials and the form of their tables
// are those of Arm's optimized routines, Copyright (c) 2017-2018 Arm Limited,
// MIT licence, which glibc has from 2.28 on; expm1's are fdlibm's, Copyright
// (C) 1993 by Sun Microsystems, as glibc has it. The method of
// CatBoost's is that of expd in herumi's fmath, modified BSD licence.
package link
