# What a Go function is given may lie in R's own memory. None that keeps or changes it sees
# that, nor does R.

code <- '
import "sort"

var kept []float64
var reader func() float64

func Keep(x []float64) float64 { kept = x; return x[0] }
func KeepPart(x []float64) float64 { kept = x[:1]; return x[0] }
func KeepReader(x []float64) float64 { reader = func() float64 { return x[0] }; return x[0] }
func Kept() float64 { return kept[0] }
func Read() float64 { return reader() }
func Scale(x []float64) []float64 { for i := range x { x[i] *= 2 }; return x }
func Sort(x []float64) float64 { sort.Float64s(x); return x[0] }
func SortInt(x []int32) int32 { slices.Sort(x); return x[0] }
func Swap(x rgoipc.Matrix[float64]) float64 { x.Set(0, 0, -1); return x.At(0, 0) }
func Append(x []float64) float64 { return append(x[:1], -1)[1] }
func Sum(x []float64) float64 { s := 0.0; for _, v := range x { s += v }; return s }
func Tail(x []float64) []float64 { return x[1:] }
func Second(x []float64) float64 { return x[1] }
func Largest(x []int32) int32 { return slices.Max(x) }
func Trace(x rgoipc.Matrix[float64]) float64 { return x.At(0, 0) + x.At(1, 1) }
func Twice(ctx context.Context, x []float64) []float64 {
	out := rgoipc.Make[float64](ctx, len(x))
	for i, v := range x { out[i] = 2 * v }
	return out
}
'

n <- 2e5 # too many to be sent within a message

test_that("a function that keeps its argument never sees it change", {
  skip_if_no_go()
  h <- local_handle(mangoro_source(code = code))
  for (keep in list(h$Keep, h$KeepPart)) {
    expect_equal(keep(rep(1, n)), 1)
    for (i in 2:4) expect_equal(h$Sum(rep(i, n)), i * n)
    expect_equal(h$Kept(), 1)
  }
  expect_equal(h$KeepReader(rep(7, n)), 7)
  for (i in 2:4) expect_equal(h$Sum(rep(i, n)), i * n)
  expect_equal(h$Read(), 7)
})

test_that("a function that changes its argument does not change R's vector", {
  skip_if_no_go()
  h <- local_handle(mangoro_source(code = code))
  x <- as.numeric(n:1)
  before <- as.numeric(n:1)
  expect_equal(h$Scale(x), 2 * before)
  expect_equal(h$Sort(x), 1)
  expect_equal(h$Append(x), -1)
  expect_equal(x, before)
  y <- n:1
  expect_equal(h$SortInt(y), 1L)
  expect_equal(y, n:1)
  m <- matrix(x, ncol = 2)
  expect_equal(h$Swap(m), -1)
  expect_equal(m, matrix(before, ncol = 2))

  # The same with what Go has returned, which may be passed on where it lies.
  result <- h$Tail(x)
  expect_equal(result, before[-1])
  expect_equal(h$Scale(result), 2 * before[-1])
  expect_equal(h$Sort(result), 1)
  expect_equal(result, before[-1])
  result[1] <- 0
  expect_equal(h$Sum(result), sum(before[-1]) - before[2])
  expect_equal(x, before)
})

test_that("functions that neither keep nor change their arguments read what R has sent", {
  skip_if_no_go()
  h <- local_handle(mangoro_source(code = code))
  x <- as.numeric(seq_len(n))
  expect_equal(h$Sum(x), sum(x))
  expect_equal(h$Largest(seq_len(n)), n)
  expect_equal(h$Trace(matrix(x, ncol = 2)), 1 + x[n / 2 + 2])
  expect_identical(h$Tail(h$Tail(x)), x[-(1:2)])
  expect_identical(h$Twice(x), 2 * x)
  expect_identical(h$Twice(c(1, NA, NaN)), c(2, NA, NaN))
  for (missing in list(NA_real_, NA + 1, NaN)) {
    x[2] <- missing
    expect_identical(is.nan(h$Second(x)), is.nan(missing))
    expect_true(is.na(h$Sum(x)))
    expect_identical(is.nan(h$Tail(x)[1:2]), c(is.nan(missing), FALSE))
    expect_identical(is.na(h$Twice(x)), is.na(x))
  }
})
