# Three programs in Go, each compared with the same in R and, if Rcpp is there, in C++:
# the results must agree, and the times are printed.
#
# Usage: Rscript programs.R [times.csv]

library(mangoro)

example <- function(name) system.file("examples", name, package = "mangoro")
elapsed <- function(expr) system.time(expr, gcFirst = FALSE)[["elapsed"]]
has_rcpp <- requireNamespace("Rcpp", quietly = TRUE)
set.seed(1)

# The quality of 50,000 reads of 100 letters, and their words of 8 letters.
letters_of <- function(from, n) intToUtf8(sample(utf8ToInt(from), n, TRUE))
sequences <- vapply(1:50000, function(i) letters_of("ACGT", 100), "")
qualities <- vapply(1:50000, function(i) intToUtf8(pmin(73, 33 + stats::rpois(100, 35))), "")
reads <- tempfile(fileext = ".fastq")
writeLines(rbind(paste0("@read", 1:50000), sequences, "+", qualities), reads)

quality_r <- function(file) {
  lines <- readLines(file)
  values <- lapply(lines[seq(4, length(lines), 4)], function(line) utf8ToInt(line) - 33L)
  position <- sequence(lengths(values))
  values <- split(unlist(values), position)
  data.frame(
    position = seq_along(values), reads = lengths(values, use.names = FALSE),
    mean = vapply(values, mean, 0, USE.NAMES = FALSE), min = vapply(values, min, 0L, USE.NAMES = FALSE)
  )
}

kmers_r <- function(sequences, k) {
  words <- unlist(lapply(sequences, function(sequence) {
    from <- seq_len(nchar(sequence) - k + 1)
    substring(sequence, from, from + k - 1)
  }))
  counts <- table(words)
  words <- names(counts)
  reverse <- vapply(strsplit(chartr("ACGT", "TGCA", words), ""), function(x) paste(rev(x), collapse = ""), "")
  c(tapply(as.vector(counts), pmin(words, reverse), sum))
}

ruin_r <- function(start, goal, n, p) {
  vapply(start, function(start) {
    money <- rep(start, n)
    while (length(on <- which(money > 0 & money < goal)) > 0) {
      money[on] <- money[on] + ifelse(stats::runif(length(on)) < p, 1, -1)
    }
    mean(money == 0)
  }, 0)
}

fastq <- mangoro_source(example("fastq.go"))
kmers <- mangoro_source(example("kmers.go"))
ruin <- mangoro_source(example("ruin.go"))

if (has_rcpp) {
  Rcpp::sourceCpp(code = '
#include <Rcpp.h>
#include <fstream>
#include <unordered_map>
using namespace Rcpp;

// [[Rcpp::export]]
DataFrame quality_cpp(std::string file) {
  std::ifstream in(file);
  std::string line;
  std::vector<int> position, reads, least;
  std::vector<double> mean;
  for (int n = 1; std::getline(in, line); n++) {
    if (n % 4 != 0) continue;
    for (size_t i = 0; i < line.size(); i++) {
      int quality = line[i] - 33;
      if (i == position.size()) {
        position.push_back(i + 1);
        reads.push_back(0);
        least.push_back(quality);
        mean.push_back(0);
      }
      reads[i]++;
      mean[i] += (quality - mean[i]) / reads[i];
      least[i] = std::min(least[i], quality);
    }
  }
  return DataFrame::create(_["position"] = position, _["reads"] = reads, _["mean"] = mean, _["min"] = least);
}

// [[Rcpp::export]]
IntegerVector kmers_cpp(std::vector<std::string> sequences, int k) {
  std::unordered_map<std::string, int> counts;
  for (const std::string& sequence : sequences) {
    for (size_t i = 0; i + k <= sequence.size(); i++) {
      std::string word = sequence.substr(i, k), reverse(word.rbegin(), word.rend());
      for (char& letter : reverse) {
        letter = letter == \'A\' ? \'T\' : letter == \'C\' ? \'G\' : letter == \'G\' ? \'C\' : \'A\';
      }
      counts[std::min(word, reverse)]++;
    }
  }
  return wrap(counts);
}

// [[Rcpp::export]]
NumericVector ruin_cpp(IntegerVector start, int goal, int n, double p) {
  NumericVector share(start.size());
  for (R_xlen_t i = 0; i < start.size(); i++) {
    int ruined = 0;
    for (int j = 0; j < n; j++) {
      int money = start[i];
      while (0 < money && money < goal) money += R::unif_rand() < p ? 1 : -1;
      ruined += money == 0;
    }
    share[i] = (double) ruined / n;
  }
  return share;
}')
}

# Runs the three ways and returns their times, in seconds.
compare <- function(what, go, r, cpp, same) {
  seconds <- c(Go = elapsed(in_go <- go()), R = elapsed(in_r <- r()), Rcpp = NA)
  stopifnot(same(in_go, in_r))
  if (has_rcpp) {
    seconds[["Rcpp"]] <- elapsed(in_cpp <- cpp())
    stopifnot(same(in_cpp, in_r))
  }
  cbind(data.frame(what = what), as.list(seconds))
}
equal <- function(x, y) isTRUE(all.equal(x, y))
sorted <- function(x) x[order(names(x), method = "radix")]
starts <- seq(10, 90, 10)
# A share of n has a standard deviation of at most 0.5 / sqrt(n).
close_to <- function(x, y) max(abs(x - y)) < 6 * sqrt(2) * 0.5 / sqrt(2000)

times <- rbind(
  compare(
    "quality of 50,000 reads",
    function() fastq$Quality(reads), function() quality_r(reads), function() quality_cpp(reads), equal
  ),
  compare(
    "words of 8 letters in them",
    function() kmers$Kmers(sequences, 8), function() kmers_r(sequences, 8), function() kmers_cpp(sequences, 8),
    function(x, y) equal(sorted(x), sorted(y))
  ),
  compare(
    "ruin of 9 x 2,000 gamblers",
    function() ruin$Ruin(starts, 100, 2000, 0.5, seed = 1), function() ruin_r(starts, 100, 2000, 0.5),
    function() ruin_cpp(starts, 100, 2000, 0.5), close_to
  )
)

unlink(reads)
for (handle in list(fastq, kmers, ruin)) close(handle)
out <- commandArgs(trailingOnly = TRUE)
rounded <- cbind(times["what"], signif(times[-1], 3))
if (length(out) > 0) utils::write.csv(rounded, out[[1]], row.names = FALSE, quote = 1)
cat(sprintf("In seconds, on %d cores:\n\n", parallel::detectCores()))
print(times, row.names = FALSE, digits = 2)
