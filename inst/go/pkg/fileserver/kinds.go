package fileserver

import (
	"bytes"
	"strings"
)

// extension returns that of a name, without the dot, and both of "calls.vcf.gz". A name that begins with
// its only dot has none.
func extension(name []byte) []byte {
	dot := bytes.LastIndexByte(name, '.')
	if dot <= 0 || len(name)-dot > maxExtension {
		return nil
	}
	if kindOf(string(name[dot+1:])) == "archive" {
		if before := bytes.LastIndexByte(name[:dot], '.'); before > 0 && dot-before <= maxInner {
			return name[before+1:]
		}
	}
	return name[dot+1:]
}

// What is longer is part of the name, such as that of a version: "x-1.2.tar.gz".
const (
	maxExtension = 12
	maxInner     = 6
)

// kindOf returns what the files with an extension hold: the name of an icon in icons.svg.
func kindOf(extension string) string {
	extension = strings.ToLower(extension)
	if inner, _, ok := strings.Cut(extension, "."); ok && kinds[inner] != "" {
		return kinds[inner]
	}
	if kind := kinds[extension[strings.LastIndexByte(extension, '.')+1:]]; kind != "" {
		return kind
	}
	return "file"
}

var kinds = kindTable(map[string]string{
	"image":   "png jpg jpeg gif webp avif svg bmp ico tif tiff",
	"text":    "txt md rmd qmd rst pdf html htm doc docx odt log tex bib rtf epub",
	"data":    "csv tsv json ndjson jsonl geojson parquet arrow arrows feather rds rda rdata xls xlsx ods sqlite db duckdb h5 hdf5 pmtiles xml yaml yml toml",
	"genome":  "bam bai cram crai sam vcf bcf bed gff gff3 gtf fa fai fasta fastq fq bw bb bigwig bigbed tbi csi hic 2bit gzi",
	"code":    "r py js mjs ts css c h cpp cc go rs java jl sh sql wasm ipynb stan",
	"archive": "zip gz bgz tgz tar bz2 xz zst br 7z rar",
	"media":   "mp4 webm mov mkv avi mp3 ogg oga wav flac m4a opus",
})

func kindTable(groups map[string]string) map[string]string {
	table := make(map[string]string)
	for kind, extensions := range groups {
		for extension := range strings.FieldsSeq(extensions) {
			table[extension] = kind
		}
	}
	return table
}
