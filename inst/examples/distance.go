// A server with one function, great_circle(), that R calls with four columns
// of degrees. Build it with mangoro_go_build("distance.go", "distance"); its
// argument is the URL to listen at.
package main

import (
	"log"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/pkg/rgoipc"
)

// earthRadius is the mean radius of the Earth in km, R1 of the International
// Union of Geodesy and Geophysics.
const earthRadius = 6371.0088

// haversine returns the distance between two points in km along the surface of
// a sphere, from their latitudes and longitudes in degrees. The formula is
// Sinnott's, "Virtues of the Haversine", Sky and Telescope 68 (1984), 159.
func haversine(lat1, lon1, lat2, lon2 float64) float64 {
	const degree = math.Pi / 180
	sinLat := math.Sin((lat2 - lat1) * degree / 2)
	sinLon := math.Sin((lon2 - lon1) * degree / 2)
	h := sinLat*sinLat + math.Cos(lat1*degree)*math.Cos(lat2*degree)*sinLon*sinLon
	return 2 * earthRadius * math.Asin(math.Sqrt(min(h, 1)))
}

// greatCircle is what R calls: a record of arguments in, one of results out.
// The server has made sure that the columns are those of the signature below.
func greatCircle(rec arrow.Record) (arrow.Record, error) {
	var columns [4]*array.Float64
	for i := range columns {
		columns[i] = rec.Column(i).(*array.Float64)
	}
	lat1, lon1, lat2, lon2 := columns[0], columns[1], columns[2], columns[3]

	distances := array.NewFloat64Builder(memory.DefaultAllocator)
	defer distances.Release()
	distances.Reserve(int(rec.NumRows()))
	for i := range int(rec.NumRows()) {
		if lat1.IsNull(i) || lon1.IsNull(i) || lat2.IsNull(i) || lon2.IsNull(i) {
			distances.AppendNull() // NA in R
			continue
		}
		distances.Append(haversine(lat1.Value(i), lon1.Value(i), lat2.Value(i), lon2.Value(i)))
	}
	result := distances.NewArray()
	defer result.Release()

	schema := arrow.NewSchema([]arrow.Field{{Name: "km", Type: result.DataType(), Nullable: true}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{result}, rec.NumRows()), nil
}

func main() {
	degrees := rgoipc.TypeSpec{Type: rgoipc.TypeFloat64, Nullable: true}
	registry := rgoipc.NewRegistry()
	err := registry.Register("great_circle", greatCircle, rgoipc.FunctionSignature{
		Args: []rgoipc.ArgSpec{
			{Name: "lat1", Type: degrees},
			{Name: "lon1", Type: degrees},
			{Name: "lat2", Type: degrees},
			{Name: "lon2", Type: degrees},
		},
		ReturnType: rgoipc.TypeSpec{Type: rgoipc.TypeFloat64, Nullable: true},
		Vectorized: true,
		Metadata:   map[string]string{"description": "Great-circle distance in km between points in degrees"},
	})
	if err != nil {
		log.Fatal(err)
	}
	rgoipc.Main(registry)
}
