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
// "Virtues of the Haversine", Sky and Telescope 68 (1984), 159, in which the product of two
// cosines is the difference of two haversines:
//
//	cos(a) cos(b) = hav(180 - a - b) - hav(a - b)
func greatCircle(lat1, lon1, lat2, lon2 float64) float64 {
	h := haversine(lat2 - lat1)
	h += (haversine(180-(lat1+lat2)) - h) * haversine(lon2-lon1)
	return 2 * earthRadius * math.Asin(math.Sqrt(min(h, 1)))
}

// haversine returns the square of the sine of half an angle in degrees.
func haversine(angle float64) float64 {
	angle -= 360 * math.RoundToEven(angle/360)
	s := sine(angle * (math.Pi / 360))
	return s * s
}

// sine returns the sine of an angle between -Pi/2 and Pi/2: the first ten terms of its Taylor
// series, of which the next one is less than 3e-16. It takes half the time of math.Sin.
func sine(x float64) float64 {
	y := x * x
	p := -1.0 / 121645100408832000 // 19!
	p = p*y + 1.0/355687428096000  // 17!
	p = p*y - 1.0/1307674368000
	p = p*y + 1.0/6227020800
	p = p*y - 1.0/39916800
	p = p*y + 1.0/362880
	p = p*y - 1.0/5040
	p = p*y + 1.0/120
	p = p*y - 1.0/6
	return x + x*y*p
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
