//go:build !unix || android

package resolve

// Files says whether the system keeps the files that a [Resolver] reads.
const Files = false
