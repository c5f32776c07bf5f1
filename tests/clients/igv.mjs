// Reads of a BAM file and variants of a VCF file, as igv.js sees them. Usage: node igv.mjs PAGE DATA
// PAGE is the URL of a page beside igv.esm.min.js, DATA that of a directory with ref.fa, a.bam and a.vcf.gz.
import { visit } from "./browser.mjs";

const [page, data] = process.argv.slice(2);
await visit(page, async (data) => {
  const igv = (await import(new URL("igv.esm.min.js", location.href).href)).default;
  const div = document.body.appendChild(document.createElement("div"));
  const browser = await igv.createBrowser(div, {
    loadDefaultGenomes: false,
    reference: { id: "test", fastaURL: data + "ref.fa", indexURL: data + "ref.fa.fai" },
    locus: "chr1:1-200",
    tracks: [
      { name: "reads", type: "alignment", format: "bam", url: data + "a.bam", indexURL: data + "a.bam.bai" },
      { name: "variants", type: "variant", format: "vcf", url: data + "a.vcf.gz", indexURL: data + "a.vcf.gz.tbi" },
    ],
  });
  const track = (name) => browser.findTracks((t) => t.name === name)[0];
  const variants = await track("variants").featureSource.getFeatures({ chr: "chr1", start: 0, end: 1000, bpPerPixel: 1 });
  const reads = await track("reads").featureSource.getAlignments("chr1", 0, 1000);
  return { variants: variants.map((v) => v.start + 1), reads: (reads.alignments || [...reads.allAlignments()]).length };
}, data);
