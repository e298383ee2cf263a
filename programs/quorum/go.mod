module example.com/checker/programs/quorum

go 1.26.0

require (
	example.com/checker v0.0.0
	example.com/checker/examples/cli v0.0.0
)

require (
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/time v0.16.0 // indirect
)
