package main

// Kmers counts the words of k letters in DNA sequences. A word and its reverse
// complement count as one.
func Kmers(sequences []string, k int) map[string]int {
	counts := make(map[string]int)
	for _, sequence := range sequences {
		for i := 0; i+k <= len(sequence); i++ {
			word := sequence[i : i+k]
			counts[min(word, reverseComplement(word))]++
		}
	}
	return counts
}

func reverseComplement(word string) string {
	reverse := make([]byte, len(word))
	for i := range reverse {
		reverse[i] = complement[word[len(word)-1-i]]
	}
	return string(reverse)
}

var complement = [256]byte{'A': 'T', 'C': 'G', 'G': 'C', 'T': 'A', 'N': 'N'}
