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
