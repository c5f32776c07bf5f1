// A server with great_circle(), which R calls with coordinates in degrees, and the same
// on one core.
package main

import (
	"errors"
	"log"
	"math"

	"mangoro.local/pkg/rgoipc"
)

// earthRadius is the mean radius of the Earth in km: R1 of the International Union
// of Geodesy and Geophysics.
const earthRadius = 6371.0088

// greatCircle returns the distance between two points on a sphere in km, given their
// latitudes and longitudes in degrees. It uses the haversine formula of Sinnott,
// "Virtues of the Haversine", Sky and Telescope 68 (1984), 159.
func greatCircle(lat1, lon1, lat2, lon2 float64) float64 {
	const degree = math.Pi / 180
	sinLat := math.Sin((lat2 - lat1) * degree / 2)
	sinLon := math.Sin((lon2 - lon1) * degree / 2)
	h := sinLat*sinLat + math.Cos(lat1*degree)*math.Cos(lat2*degree)*sinLon*sinLon
	return 2 * earthRadius * math.Asin(math.Sqrt(min(h, 1)))
}

func main() {
	registry := rgoipc.NewRegistry()
	args := rgoipc.Args("lat1", "lon1", "lat2", "lon2")
	err := errors.Join(
		registry.Func("great_circle", greatCircle, args, rgoipc.Parallel(),
			rgoipc.Describe("Great-circle distance in km between points in degrees")),
		registry.Func("great_circle_on_one_core", greatCircle, args),
	)
	if err != nil {
		log.Fatal(err)
	}
	rgoipc.Main(registry)
}
