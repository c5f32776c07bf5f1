# Results of Go functions are used as any other R vector. Whatever is done with a large
# one, which lies in shared memory, gives what it gives without shared memory.

makers <- c(
  "doubles", "doubles_", "ints", "ints_", "logicals", "logicals_", "strings", "strings_", "int64s", "int64s_",
  "raw", "complexes", "dates", "times", "durations", "lists", "matrix", "frame"
)

# The same server with shared memory and without.
local_pair <- function(frame = parent.frame()) {
  bin <- build_once(test_source("results"))
  with <- local_start(bin, frame = frame)
  withr::local_options(mangoro.shared_memory = FALSE)
  without <- local_start(bin, frame = frame)
  mangoro_manifest(without)
  without$add(1, 2)
  list(with = with, without = without)
}

# So many values that they lie in shared memory, whatever their type.
large_size <- function(name) if (name %in% c("raw", "strings", "strings_", "frame")) 150000L else 40000L

made_by <- function(h, n = NULL) sapply(makers, function(name) h[[name]](n %||% large_size(name)), simplify = FALSE)

saved <- function(x) {
  file <- withr::local_tempfile()
  saveRDS(x, file, compress = FALSE)
  readRDS(file)
}

shown <- function(x) utils::capture.output(.Internal(inspect(x)))

expect_same_uses <- function(pair, uses, only = makers) {
  ours <- made_by(pair$with)
  theirs <- made_by(pair$without)
  for (name in only) {
    for (use in names(uses)) {
      f <- uses[[use]]
      expect_identical(f(ours[[name]]), f(theirs[[name]]), info = paste(use, "of", name))
    }
    # Nothing above has changed the results themselves.
    expect_identical(ours[[name]], theirs[[name]], info = name)
  }
}

atomic <- setdiff(makers, c("lists", "frame"))
ordered <- setdiff(atomic, c("complexes", "raw"))

test_that("results are the same with shared memory and without", {
  pair <- local_pair()
  expect_identical(made_by(pair$with), made_by(pair$without))
  expect_identical(made_by(pair$with, 0L), made_by(pair$without, 0L))
  expect_identical(made_by(pair$with, 5L), made_by(pair$without, 5L))
  expect_identical(made_by(pair$with, 9000L), made_by(pair$without, 9000L))
})

test_that("R's own functions read results", {
  pair <- local_pair()
  expect_same_uses(pair, list(
    length = length, str = function(x) utils::capture.output(utils::str(x)), head = utils::head, is.na = is.na,
    rev = rev, unique = unique, saved = saved, serialized = function(x) unserialize(serialize(x, NULL)),
    equal = function(x) identical(x, saved(x)), attributes = attributes, list = function(x) list(x, x),
    object.size = function(x) as.numeric(utils::object.size(x)), subset = function(x) x[3:7, drop = FALSE]
  ), setdiff(makers, c("frame", "matrix")))
  expect_same_uses(pair, list(
    sort = sort, order = order, range = range, decreasing = function(x) sort(x, decreasing = TRUE),
    match = function(x) match(x[c(1, 5)], x), duplicated = function(x) sum(duplicated(x)),
    max = function(x) max(x, na.rm = TRUE), every = function(x) x[c(TRUE, FALSE)], none = function(x) x[0],
    c = function(x) c(x, x), text = function(x) paste(x[1:100]), factor = function(x) levels(factor(x[1:1000]))
  ), setdiff(ordered, "matrix"))
  numbers <- c("doubles", "doubles_", "ints", "ints_", "logicals", "logicals_", "matrix")
  expect_same_uses(pair, list(
    sum = sum, mean = mean, cumsum = cumsum, arithmetic = function(x) x * 2 + 1, negative = function(x) -x,
    quantile = function(x) stats::quantile(x, na.rm = TRUE), which = function(x) which(x > 10), any = anyNA,
    loop = function(x) {
      s <- 0
      for (v in x[1:1000]) if (!is.na(v)) s <- s + v
      s
    },
    sapply = function(x) sapply(x[1:100], function(v) v), tabulate = function(x) table(x)[1:5], var = stats::var
  ), numbers)
})

test_that("what R writes into a result stays in R and in that copy", {
  pair <- local_pair()
  first <- function(x, value) {
    x[[1]] <- value
    x
  }
  expect_same_uses(pair, list(
    element = function(x) first(x, x[[2]]), missing = function(x) first(x, NA),
    longer = function(x) {
      x[[length(x) + 1]] <- x[[1]]
      x
    },
    shorter = function(x) {
      length(x) <- 10
      x
    },
    named = function(x) {
      names(x) <- seq_along(x)
      x[5:6]
    },
    both = function(x) {
      y <- x
      y[3] <- x[1]
      list(x, y)
    }
  ), setdiff(atomic, c("raw", "matrix")))
  h <- pair$with
  x <- h$doubles(40000L)
  y <- x
  y[1:2] <- c(-1, NA)
  expect_identical(h$same(y), c(-1, NA, x[-(1:2)]))
  expect_identical(h$same(x), pair$without$doubles(40000L))
  expect_identical(h$add(y, x), y + x)
})

test_that("results are arguments again, of this server and of another", {
  pair <- local_pair()
  other <- local_start(build_once(test_source("results")))
  n <- 40000L
  x <- pair$with$doubles_(n)
  plain <- pair$without$doubles_(n)
  for (h in list(pair$with, pair$without, other)) {
    expect_identical(h$add(x, x), plain + plain)
    expect_identical(h$add_parallel(x, 1), plain + 1)
    expect_identical(h$add(x[1:1000], 1), plain[1:1000] + 1)
    expect_identical(h$same(x), plain)
    expect_identical(h$array(x), plain)
    expect_identical(h$batch(data.frame(x = x, y = x)), data.frame(x = plain, y = plain))
  }
  for (name in makers) {
    x <- pair$with[[name]](n)
    if (!is.data.frame(x)) expect_identical(pair$with$array(x), x, info = name)
  }
  frame <- pair$with$frame(n)
  expect_identical(pair$with$batch(frame), pair$without$frame(n))
  ints <- pair$with$ints_(n)
  expect_identical(pair$with$add_ints(ints, 1L), ints + 1L)
  logicals <- pair$with$logicals_(n)
  expect_identical(pair$with$not(logicals), !logicals)
})

test_that("strings of results are arguments again, of this server and of another", {
  pair <- local_pair()
  other <- local_start(build_once(test_source("results")))
  n <- large_size("strings")
  for (name in c("strings", "strings_")) {
    x <- pair$with[[name]](n)
    plain <- pair$without[[name]](n)
    for (h in list(pair$with, pair$without, other)) {
      expect_identical(h$array(x), plain)
      expect_identical(h$batch(data.frame(x = x, n = 1)), data.frame(x = plain, n = 1))
      if (name == "strings") expect_identical(h$texts(x), plain)
    }
    changed <- x
    changed[c(2, n)] <- c("changed", NA)
    expect_identical(pair$with$array(changed), replace(plain, c(2, n), c("changed", NA)))
    expect_identical(pair$with$array(x), plain)
    expect_identical(x, plain)
    expect_identical(pair$with$array(x), plain)
  }
  frame <- pair$with$frame(n)
  expect_identical(pair$with$frames(frame), frame)
  frame$Chr[[1]] <- "changed"
  expect_identical(pair$with$frames(frame)$Chr, frame$Chr)
})

test_that("no string is made of results that are passed on", {
  pair <- local_pair()
  n <- large_size("strings")
  x <- pair$with$strings(n)
  if (!any(grepl("view of segment", shown(x)))) skip("no shared memory here")
  pair$with$keep(x)
  pair$with$array(x)
  pair$with$batch(data.frame(x = x, n = 1))
  expect_match(shown(x), "0 of [0-9]+ blocks made", all = FALSE)
  frame <- pair$with$frame(n)
  pair$with$frames(frame)
  expect_match(shown(frame$Chr), "0 of [0-9]+ blocks made", all = FALSE)
})

test_that("strings that Go keeps never change, and are sent after their server has ended", {
  pair <- local_pair()
  n <- large_size("strings")
  plain <- pair$without$strings(n)
  h <- pair$with
  x <- h$strings(n)
  h$keep(x)
  x[1:2] <- c("changed", NA)
  expect_identical(h$kept(), plain)
  h$keep(h$strings(n))
  gc()
  for (i in 1:5) h$doubles(2 * n)
  expect_identical(h$kept(), plain)
  x <- h$strings(n)
  mangoro_restart(h)
  expect_identical(h$array(x), plain)
  mangoro_stop(h)
  expect_identical(local_start(build_once(test_source("results")))$array(x), plain)
  expect_identical(x, plain)
})

test_that("results outlive their server and their handle, and are collected in any order", {
  pair <- local_pair()
  expected <- made_by(pair$without)
  server <- local_start(build_once(test_source("results")))
  before <- made_by(server)
  mangoro_restart(server)
  restarted <- made_by(server)
  expect_identical(server$add(before$doubles, restarted$doubles), 2 * expected$doubles)
  tools::pskill(pid_of(server), tools::SIGKILL)
  expect_error(server$add(1, 2), class = "mangoro_error_connection")
  expect_identical(before, expected)
  mangoro_stop(server)
  rm(server)
  gc()
  expect_identical(restarted, expected)
  # The oldest first, then the newest.
  results <- lapply(1:6, function(i) pair$with$doubles(40000L))
  for (i in c(1, 6, 2, 5)) {
    results[i] <- list(NULL)
    gc()
    results[[i]] <- pair$with$add(expected$doubles, i)
  }
  for (i in c(1, 6, 2, 5)) expect_identical(results[[i]], expected$doubles + i)
  for (i in 3:4) expect_identical(results[[i]], expected$doubles)
})

test_that("results go into forks", {
  skip_on_os("windows")
  pair <- local_pair()
  expected <- made_by(pair$without)
  results <- made_by(pair$with)
  gc() # closed sockets of other tests: NNG cannot free them in a fork
  sums <- parallel::mclapply(1:4, function(i) {
    results$doubles[i] <<- 1e6
    c(sum(results$doubles), sum(results$ints_, na.rm = TRUE), length(unique(results$strings)))
  }, mc.cores = 2)
  wanted <- lapply(1:4, function(i) {
    changed <- replace(expected$doubles, i, 1e6)
    c(sum(changed), sum(expected$ints_, na.rm = TRUE), length(unique(expected$strings)))
  })
  # With two cores, a fork has one of every two elements and sees what it has changed itself.
  expect_identical(sums[1:2], wanted[1:2])
  expect_identical(results, expected)
  child <- parallel::mcparallel(identical(results, expected))
  # The parent calls while the fork reads, and its own results are not the fork's.
  for (i in 1:20) expect_identical(pair$with$add(expected$doubles, i), expected$doubles + i)
  expect_true(parallel::mccollect(child)[[1]])
  expect_identical(results, expected)
})

test_that("other packages take results", {
  pair <- local_pair()
  skip_if_not_installed("data.table")
  tabulated <- function(h) {
    table <- data.table::as.data.table(h$frame(150000L))
    table[, twice := Dbl * 2]
    data.table::setkey(table, Int, Chr)
    list(table[1:10], table[, list(mean(Dbl, na.rm = TRUE), .N), by = Logic], data.table::rbindlist(list(table, table)))
  }
  environment(tabulated) <- new.env(parent = globalenv()) # data.table refuses code of other packages
  expect_equal(tabulated(pair$with), tabulated(pair$without))

  skip_if_not_installed("dplyr")
  summarised <- function(h) {
    frame <- dplyr::mutate(h$frame(150000L), twice = Dbl * 2, long = nchar(Chr))
    grouped <- dplyr::group_by(frame, Logic)
    list(
      dplyr::arrange(frame, Chr, dplyr::desc(Int)), dplyr::filter(frame, Int > 100, !is.na(Dbl)),
      dplyr::summarise(grouped, mean = mean(Dbl, na.rm = TRUE), n = dplyr::n(), last = max(Day)),
      dplyr::left_join(frame[1:100, ], unique(frame[c("Int", "Day")]), by = "Int"),
      dplyr::bind_rows(frame, frame), dplyr::distinct(frame, Chr)
    )
  }
  expect_identical(summarised(pair$with), summarised(pair$without))
})

test_that("results go to other processes", {
  skip_if_not_installed("mirai")
  pair <- local_pair()
  mirai::daemons(1, dispatcher = FALSE)
  withr::defer(mirai::daemons(0))
  results <- made_by(pair$with)
  expect_identical(mirai::mirai(results, results = results)[], made_by(pair$without))
})

test_that("results survive gctorture", {
  pair <- local_pair()
  x <- pair$without$doubles_(20000L)
  strings <- pair$without$strings_(20000L)
  tortured <- local({
    gctorture2(97)
    on.exit(gctorture(FALSE))
    one <- pair$with$add(x, 1)
    two <- pair$with$add(one, 1)
    two[1] <- 0
    text <- pair$with$strings_(20000L)
    list(one, two, rev(text), sum(two, na.rm = TRUE), pair$with$frame(20000L))
  })
  two <- replace(x + 1 + 1, 1, 0)
  expect_identical(tortured, list(x + 1, two, rev(strings), sum(two, na.rm = TRUE), pair$without$frame(20000L)))
})

# What rgoipc.Make has made belongs to R once it has been returned, whatever a function that has
# kept it does.
made <- '
import "sync/atomic"

var kept []float64
func Fill(ctx context.Context, value float64, n int) []float64 {
	if len(kept) != n { kept = rgoipc.Make[float64](ctx, n) }
	for i := range kept { kept[i] = value }
	return kept
}
func Fresh(ctx context.Context, value float64, n int) []float64 {
	x := rgoipc.Make[float64](ctx, n)
	for i := range x { x[i] = value }
	return x
}
func Same() bool {
	for _, v := range kept { if v != kept[0] { return false } }
	return true
}
func First() float64 { return kept[0] }

var rounds, over atomic.Int64
var start = make(chan bool)
func WriteOn(ctx context.Context, n int) []int32 {
	x := rgoipc.Make[int32](ctx, n)
	for i := range x { x[i] = int32(i + 1) }
	go func() {
		<-start
		for over.Load() == 0 {
			for i := range x { x[i] = -1 }
			rounds.Add(1)
		}
		over.Store(2)
	}()
	return x
}
func Start() { start <- true }
func Rounds() int64 { return rounds.Load() }
func Stop() { for over.Store(1); over.Load() != 2; { runtime.Gosched() } }
'

test_that("a slice of Make that Go fills again does not change the result", {
  h <- local_source(code = made)
  for (n in c(100, 20000, 5e5)) {
    one <- h$Fill(1, n)
    two <- h$Fill(2, n)
    expect_identical(one, rep(1, n))
    expect_identical(two, rep(2, n))
    expect_identical(h$First(), 2)
  }
})

test_that("a goroutine that writes on does not change the result", {
  h <- local_source(code = made)
  x <- h$WriteOn(5e5)
  h$Start()
  while (h$Rounds() < 2) expect_identical(x[c(1, 5e5)], c(1L, 500000L))
  expect_identical(x, seq_len(500000L))
  h$Stop()
})

test_that("a slice of Make that Go has kept is what it was, or says that it is R's", {
  h <- local_source(code = made)
  h$Fill(1, 1e5)
  for (i in 2:300) h$Fresh(i, 1e5)
  gc()
  for (i in 2:300) h$Fresh(i, 1e5)
  first <- tryCatch(h$First(), mangoro_error_panic = function(e) e)
  if (inherits(first, "error")) {
    expect_match(conditionMessage(first), "a slice of rgoipc.Make belongs to R once it has been returned", fixed = TRUE)
    expect_error(h$Same(), class = "mangoro_error_panic")
  } else {
    expect_identical(first, 1)
    expect_true(h$Same())
  }
  expect_identical(h$Fresh(5, 1e5), rep(5, 1e5))
})

test_that("Go keeps and returns Arrow data", {
  h <- local_source(code = '
    var array arrow.Array
    var record arrow.RecordBatch
    func Keep(x arrow.Array) arrow.Array { array = x; return x }
    func Get() arrow.Array { return array }
    func KeepFrame(x arrow.RecordBatch) { record = x }
    func GetFrame() arrow.RecordBatch { return record }
  ')
  for (n in c(10, 1e5)) {
    x <- as.numeric(seq_len(n))
    d <- data.frame(x = x, y = "a")
    expect_identical(h$Keep(x), x)
    h$KeepFrame(d)
    for (i in 1:3) {
      expect_identical(h$Get(), x)
      expect_equal(h$GetFrame(), d)
    }
  }
})
