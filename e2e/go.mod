module example.com/checker/e2e

go 1.26.0

replace example.com/checker => ..
