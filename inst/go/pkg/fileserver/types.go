package fileserver

import (
	"cmp"
	"mime"
	"path"
	"strings"
)

// contentType returns the type that belongs to the name. It does not look at the content:
// a browser must not run a file because of what it seems to hold.
func (h *Handler) contentType(name string) string {
	base := path.Base(name)
	if len(h.config.Types) > 0 {
		// ".vcf.gz" goes before ".gz".
		for rest := base; ; {
			dot := strings.IndexByte(rest, '.')
			if dot < 0 {
				break
			}
			if contentType, ok := h.config.Types[strings.ToLower(rest[dot:])]; ok {
				return contentType
			}
			rest = rest[dot+1:]
		}
	}
	extension := path.Ext(base)
	if contentType, ok := knownTypes[extension]; ok {
		return contentType
	}
	extension = strings.ToLower(extension)
	return cmp.Or(knownTypes[extension], mime.TypeByExtension(extension), binary)
}

const (
	binary = "application/octet-stream"
	plain  = "text/plain; charset=utf-8"
)

// knownTypes are the types that must not depend on the tables of the machine.
var knownTypes = map[string]string{
	".2bit":        binary,
	".arrow":       "application/vnd.apache.arrow.file",
	".arrows":      "application/vnd.apache.arrow.stream",
	".avif":        "image/avif",
	".bai":         binary,
	".bam":         binary,
	".bb":          binary,
	".bcf":         binary,
	".bed":         plain,
	".bedgraph":    plain,
	".bgz":         binary,
	".bigbed":      binary,
	".bigwig":      binary,
	".bw":          binary,
	".cram":        binary,
	".crai":        binary,
	".csi":         binary,
	".css":         "text/css; charset=utf-8",
	".csv":         "text/csv; charset=utf-8",
	".data":        binary,
	".duckdb":      binary,
	".fa":          plain,
	".fai":         plain,
	".fasta":       plain,
	".fastq":       plain,
	".feather":     "application/vnd.apache.arrow.file",
	".fna":         plain,
	".fq":          plain,
	".geojson":     "application/geo+json",
	".gff":         plain,
	".gff3":        plain,
	".gif":         "image/gif",
	".gtf":         plain,
	".gz":          "application/gzip",
	".gzi":         binary,
	".h5":          binary,
	".hdf5":        binary,
	".hic":         binary,
	".htm":         "text/html; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".ipynb":       "application/json",
	".jl":          plain,
	".jpeg":        "image/jpeg",
	".jpg":         "image/jpeg",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".jsonl":       "application/x-ndjson",
	".log":         plain,
	".map":         "application/json",
	".mcool":       binary,
	".md":          "text/markdown; charset=utf-8",
	".mjs":         "text/javascript; charset=utf-8",
	".mp3":         "audio/mpeg",
	".mp4":         "video/mp4",
	".ndjson":      "application/x-ndjson",
	".parquet":     "application/vnd.apache.parquet",
	".pdf":         "application/pdf",
	".pmtiles":     "application/vnd.pmtiles",
	".png":         "image/png",
	".py":          plain,
	".qmd":         plain,
	".r":           plain,
	".rda":         binary,
	".rdata":       binary,
	".rds":         binary,
	".rmd":         plain,
	".sam":         plain,
	".sql":         plain,
	".sqlite":      binary,
	".svg":         "image/svg+xml",
	".tbi":         binary,
	".tgz":         "application/gzip",
	".tif":         "image/tiff",
	".tiff":        "image/tiff",
	".toml":        plain,
	".tsv":         "text/tab-separated-values; charset=utf-8",
	".txt":         plain,
	".vcf":         plain,
	".wasm":        "application/wasm",
	".webm":        "video/webm",
	".webmanifest": "application/manifest+json",
	".webp":        "image/webp",
	".wig":         plain,
	".woff":        "font/woff",
	".woff2":       "font/woff2",
	".xml":         "text/xml; charset=utf-8",
	".yaml":        plain,
	".yml":         plain,
	".zarr":        binary,
	".zip":         "application/zip",
	".zst":         "application/zstd",
}
