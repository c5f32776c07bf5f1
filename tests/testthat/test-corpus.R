test_that("objects of all kinds come back as they were, or as documented, or are refused", {
  h <- local_start(test_source("corpus"))
  ways <- corpus_ways(h)
  objects <- c(
    vector_types()[lengths(vector_types()) < 1000], frame_types()[names(frame_types()) != "altrep"],
    value_types(), class_types(), as.list(as.environment("package:datasets"))
  )
  for (way in names(ways)) {
    outcome <- vapply(objects, function(x) corpus_outcome(x, ways[[way]])$outcome, "")
    expect_identical(names(objects)[outcome %in% c("changed", "failed")], character(), info = way)
    expect_gt(sum(outcome == "identical"), 100, label = way)
    expect_lt(sum(outcome == "refused"), 30, label = way)
  }
})

test_that("an object of a class that has lost rows in Go is but its values", {
  server <- local_server(test_source("corpus"))
  types <- class_types()
  whole <- c("zoo", "ts", "surv", "table_two", "ts_matrix", "haven_labelled", "version", "IDate", "anova")
  for (name in whole) {
    sent <- as_frame(types[[name]])
    got <- mangoro_call(server$sock, "first", sent)
    expect_identical(nrow(got), min(nrow(sent), 1L), info = name)
    expect_identical(class(got), "data.frame", info = name)
    expect_true(all(vapply(got, function(x) !is.object(x) || identical(class(x), "Date"), NA)), info = name)
  }
  expect_identical(mangoro_call(server$sock, "first", as_frame(types$zoo)), data.frame(x = 1))
  expect_identical(mangoro_call(server$sock, "first", datasets::mtcars), data.frame(mtcars[1, ], row.names = NULL))
})
