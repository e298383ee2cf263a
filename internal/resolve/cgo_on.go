//go:build (cgo || darwin) && !netgo

package resolve

// cLibrary says whether package net can ask the resolver of the C library.
const cLibrary = true
