module example.com/checker/examples/cli

go 1.26.0
