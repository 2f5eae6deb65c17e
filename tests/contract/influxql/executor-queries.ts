/** One a line: the executor's answer must be influxd's, an error for an error. */
export const equalQueries = `
SELECT flow FROM water WHERE district = 'north'
SELECT * FROM water WHERE sensor = 'n1'
SELECT flow, sensor FROM water WHERE sensor =~ /^n/ AND time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T01:00:00Z'
SELECT flow, pressure FROM water GROUP BY sensor
SELECT flow FROM water GROUP BY district, sensor ORDER BY time DESC LIMIT 2
SELECT mean(flow) FROM water
SELECT mean(flow), max(pressure), count(vehicles) FROM water GROUP BY district
SELECT mean(flow) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(10m)
SELECT mean(flow), count(state) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T03:00:00Z' GROUP BY time(10m), sensor fill(previous)
SELECT mean(flow) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(3m) fill(linear)
SELECT sum(vehicles) FROM water WHERE time >= '2025-12-31T23:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(3m) fill(linear)
SELECT sum(vehicles) FROM water WHERE time >= '2025-12-31T23:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(10m) fill(7)
SELECT max(flow) FROM water
SELECT max(flow), sensor FROM water
SELECT max(flow), sensor, pressure FROM water GROUP BY district
SELECT first(state), sensor FROM water GROUP BY time(30m)
SELECT percentile(flow, 90), sensor FROM water GROUP BY district
SELECT top(flow, 3) FROM water
SELECT top(flow, sensor, 3) FROM water
SELECT bottom(flow, sensor, district, 2), pressure FROM water
SELECT top(vehicles, 2) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(30m)
SELECT derivative(mean(flow), 1m) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(10m)
SELECT non_negative_derivative(flow) FROM water GROUP BY sensor
SELECT difference(vehicles) FROM traffic
SELECT non_negative_difference(vehicles) FROM traffic ORDER BY time DESC
SELECT moving_average(flow, 3) FROM traffic
SELECT moving_average(mean(flow), 3) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(10m)
SELECT cumulative_sum(count(flow)) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(10m), district
SELECT elapsed(flow, 1s) FROM traffic
SELECT elapsed(state) FROM water WHERE sensor='n1'
SELECT integral(flow) FROM traffic
SELECT integral(vehicles, 1m) FROM traffic
SELECT integral(flow, 1m) FROM traffic WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(25m)
SELECT integral(vehicles) FROM traffic WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(25m)
SELECT distinct(state) FROM water
SELECT count(distinct(state)) FROM water
SELECT count(distinct(state)) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T03:00:00Z' GROUP BY time(30m)
SELECT distinct(vehicles) FROM water GROUP BY district
SELECT median(vehicles), stddev(flow), spread(vehicles), spread(flow) FROM water GROUP BY sensor
SELECT stddev(flow) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(5m), sensor fill(0)
SELECT mean(*) FROM water
SELECT max(*) FROM water
SELECT count(/^[fp]/) FROM water GROUP BY district
SELECT last(*) FROM water
SELECT flow * 2, flow + pressure, vehicles / 2, vehicles % 3, vehicles & 3, -flow FROM water WHERE sensor = 'n2'
SELECT mean(flow) * 2 + max(pressure) AS x, mean(flow) FROM water
SELECT abs(flow - 50), sqrt(flow), round(flow), floor(pressure), pow(flow, 2), log(flow, 3) FROM water WHERE sensor = 's1'
SELECT mean(m) FROM (SELECT max(flow) AS m FROM water GROUP BY sensor)
SELECT mean(m) FROM (SELECT max(flow) AS m FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY sensor, time(10m)) GROUP BY time(30m), district
SELECT * FROM (SELECT max(flow) AS m FROM water GROUP BY sensor)
SELECT m, sensor FROM (SELECT mean(flow) AS m FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY sensor, time(20m))
SELECT m FROM (SELECT mean(flow) AS m FROM water GROUP BY sensor) WHERE m > 50
SELECT max(vehicles) FROM water, traffic
SELECT max(vehicles) FROM /t/
SELECT flow FROM traffic, water LIMIT 2
SELECT unknown FROM water
SELECT flow, unknown FROM water LIMIT 3
SELECT mean(unknown), mean(flow) FROM water
SELECT sensor FROM water
SELECT flow FROM nothing
SELECT flow::integer, vehicles::float, state::string, sensor::tag, flow::string FROM water WHERE sensor = 'n1'
SELECT mean(v) FROM zoned WHERE time >= '2026-03-28T00:00:00Z' AND time < '2026-03-31T00:00:00Z' GROUP BY time(1d) tz('Europe/Paris')
SELECT count(v) FROM zoned WHERE time >= '2026-03-28T20:00:00Z' AND time < '2026-03-30T02:00:00Z' GROUP BY time(6h) tz('Europe/Paris')
SELECT count(v) FROM zoned WHERE time >= '2026-10-24T00:00:00Z' AND time < '2026-10-27T00:00:00Z' GROUP BY time(1d) tz('Europe/Paris')
SELECT count(v) FROM zoned WHERE time >= '2026-10-24T20:00:00Z' AND time < '2026-10-26T02:00:00Z' GROUP BY time(2h) tz('Europe/Paris')
SELECT count(v) FROM zoned WHERE time >= '2026-03-28T20:00:00Z' AND time < '2026-03-30T02:00:00Z' GROUP BY time(1h) tz('Europe/Paris')
SELECT mean(flow) FROM water GROUP BY sensor SLIMIT 1
SELECT mean(flow) FROM water GROUP BY sensor SLIMIT 2 SOFFSET 1
SELECT mean(flow) FROM water GROUP BY sensor SOFFSET 1
SELECT mean(flow) FROM water GROUP BY sensor ORDER BY time DESC SLIMIT 1
SELECT mean(flow) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(10m) ORDER BY time DESC LIMIT 3 OFFSET 2
SELECT mean(flow) FROM water GROUP BY time(1h) ORDER BY time DESC LIMIT 2
SELECT count(flow), max(flow) FROM water WHERE time > '2026-01-01T00:10:00Z' GROUP BY *
SELECT flow FROM water WHERE flow > 50 AND (sensor = 'n1' OR district = 'south') AND pressure > 5
SELECT flow, pressure FROM water WHERE open = true
SELECT flow FROM water WHERE state = 'on' AND sensor != 'n1'
SELECT flow, pressure FROM water WHERE sensor = 'n1' fill(0)
SELECT flow, pressure, state FROM water WHERE sensor = 'n1' fill(previous)
SELECT flow, flow, mean AS flow FROM water LIMIT 1
SELECT mean(flow), mean(pressure) FROM water
SELECT m FROM (SELECT max(flow) AS m FROM water GROUP BY sensor LIMIT 1)
SELECT flow FROM (SELECT flow FROM water GROUP BY sensor) LIMIT 5
SELECT flow, sensor FROM (SELECT flow FROM water GROUP BY sensor) LIMIT 5
SELECT max(flow), sensor FROM (SELECT flow FROM water GROUP BY sensor)
SELECT max(flow), pressure FROM (SELECT flow, pressure FROM water GROUP BY sensor) GROUP BY district
SELECT sum(m) FROM (SELECT mean(flow) AS m FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(10m) fill(0))
SELECT sum(m) FROM (SELECT mean(flow) AS m FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(10m), sensor fill(0)) GROUP BY sensor
SELECT sum(m) FROM (SELECT mean(flow) AS m FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(10m), sensor fill(0))
SELECT difference(m) FROM (SELECT max(flow) AS m FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(10m))
SELECT derivative(mean(x), 10m) FROM (SELECT flow AS x FROM water) WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(10m)
SELECT max(d) FROM (SELECT derivative(mean(flow), 10m) AS d FROM water GROUP BY time(10m)) WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T02:00:00Z'
SELECT mean(a) FROM (SELECT vehicles / n AS a FROM traffic)
SELECT a, b FROM (SELECT vehicles / n AS a, vehicles + n AS b FROM traffic)
SELECT count(s) FROM (SELECT stddev(flow) AS s FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(5m), sensor)
SELECT sqrt(vehicles) FROM traffic
SELECT count(s) FROM (SELECT sqrt(vehicles) AS s FROM traffic)
SELECT mean(flow) FROM water, traffic GROUP BY sensor
SELECT m FROM (SELECT mean(flow) AS m FROM water GROUP BY district), (SELECT max(flow) AS m FROM water GROUP BY district) GROUP BY district
SELECT sum(m) FROM (SELECT mean(flow) AS m FROM water GROUP BY district), (SELECT max(flow) AS m FROM water GROUP BY district) GROUP BY district
SELECT count(district) FROM water
SELECT count(sensor) FROM (SELECT flow FROM water GROUP BY sensor)
SELECT last(flow), first(flow) FROM water
SELECT last(flow) FROM water GROUP BY sensor
SELECT first(flow), last(vehicles) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(15m), district
SELECT min(flow) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(15m) ORDER BY time DESC
SELECT top(flow, 3) FROM water ORDER BY time DESC
SELECT top(flow, district, 3), sensor FROM water GROUP BY sensor
SELECT top(flow, sensor, 2) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(15m)
SELECT distinct(state) FROM water ORDER BY time DESC
SELECT distinct(state) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(15m) ORDER BY time DESC
SELECT derivative(flow) FROM water GROUP BY sensor ORDER BY time DESC LIMIT 3
SELECT cumulative_sum(flow) FROM water GROUP BY sensor ORDER BY time DESC LIMIT 3
SELECT integral(flow) FROM water ORDER BY time DESC
SELECT integral(flow) FROM water WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(25m) ORDER BY time DESC
SELECT integral(flow) FROM water WHERE time >= '2026-01-01T00:05:00Z'
SELECT integral(vehicles) FROM water WHERE time >= '2026-01-01T00:05:00Z'
SELECT elapsed(flow, 1m) FROM traffic ORDER BY time DESC
SELECT elapsed(mean(flow), 1m) FROM water WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(5m)
SELECT mean(flow) FROM water WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(10m, 3m)
SELECT mean(flow) FROM water WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(10m, -3m) fill(none)
SELECT count(flow) FROM water WHERE time >= '2026-01-01T01:30:00Z' AND time <= '2026-01-01T03:00:00Z' GROUP BY time(20m), sensor
SELECT mean(flow), count(open) FROM water WHERE time >= '2026-01-01T01:30:00Z' AND time <= '2026-01-01T03:00:00Z' GROUP BY time(20m) fill(0)
SELECT mean(nothing), count(flow) FROM water WHERE time >= '2026-01-01T01:30:00Z' AND time <= '2026-01-01T02:00:00Z' GROUP BY time(20m) fill(0)
SELECT max(nothing), count(flow) FROM water fill(3)
SELECT last(open), last(state) FROM water WHERE time >= '2026-01-01T01:30:00Z' AND time <= '2026-01-01T02:20:00Z' GROUP BY time(10m) fill(5)
SELECT last(state) FROM water WHERE time >= '2026-01-01T01:30:00Z' AND time <= '2026-01-01T02:20:00Z' GROUP BY time(10m) fill(linear)
SELECT flow AS a, pressure AS a, flow FROM water LIMIT 1
SELECT mean(flow), mean(flow) AS m, mean(flow) FROM water
SELECT time, flow FROM water LIMIT 1
SELECT time AS t, mean(flow) FROM water
SELECT *::field FROM water LIMIT 2
SELECT *::tag, flow FROM water LIMIT 2
SELECT /o/ FROM water LIMIT 2
SELECT * FROM water GROUP BY * LIMIT 1
SELECT * FROM water GROUP BY /^d/ LIMIT 1
SELECT flow FROM water GROUP BY nothing LIMIT 1
SELECT mean(flow) + mean(nothing) FROM water
SELECT flow + nothing FROM water LIMIT 2
SELECT flow + state FROM water
SELECT mean(flow), flow FROM water
SELECT max(flow), min(flow), sensor FROM water
SELECT derivative(mean(flow)) FROM water
SELECT derivative(flow) FROM water GROUP BY time(10m)
SELECT flow FROM water GROUP BY time(10m)
SELECT flow FROM water fill(none)
SELECT top(flow, 3), bottom(flow, 2) FROM water
SELECT top(flow, 5) FROM water LIMIT 2
SELECT top(flow) FROM water
SELECT top(flow, 0) FROM water
SELECT percentile(flow) FROM water
SELECT percentile(flow, 'a') FROM water
SELECT percentile(flow, 200) FROM water
SELECT percentile(flow, 0) FROM water
SELECT moving_average(flow, 1) FROM water
SELECT distinct(flow), mean(flow) FROM water
SELECT foo(flow) FROM water
SELECT mean(flow, 2) FROM water
SELECT mean(2) FROM water
SELECT 2 FROM water
SELECT 2 * 3 FROM water
SELECT derivative(flow, 0s) FROM water
SELECT time FROM water
SELECT asin(vehicles) FROM traffic
SELECT pow(flow) FROM water
SELECT mean(flow) FROM (SELECT flow FROM water ORDER BY time DESC)
SELECT mean(*) + 1 FROM water
SELECT * + 1 FROM water
SELECT flow FROM water WHERE mean(flow) > 3
SELECT flow FROM water WHERE abs(pressure) > 3 LIMIT 4
SELECT flow FROM water WHERE 5 > 3 AND flow > 90
SELECT flow FROM water WHERE nothing = 5
SELECT flow FROM water WHERE nothing = ''
SELECT flow FROM water WHERE district = '' LIMIT 2
SELECT flow FROM water WHERE district != 'north' LIMIT 2
SELECT flow FROM water WHERE state != 'on' LIMIT 5
SELECT mean(flow) FROM autogen.water
SELECT mean(flow) FROM nope.water
SELECT mean(flow) FROM marsad..water
SELECT mean(flow) FROM nope..water
SELECT mean(abs(flow)) FROM water
SELECT derivative(abs(mean(flow))) FROM water WHERE time >= '2026-01-01T01:30:00Z' AND time <= '2026-01-01T03:00:00Z' GROUP BY time(20m)
SELECT abs(mean(flow)), round(mean(flow)) FROM water WHERE time >= '2026-01-01T01:30:00Z' AND time <= '2026-01-01T03:00:00Z' GROUP BY time(20m)
SELECT moving_average(derivative(mean(flow)), 2) FROM water WHERE time >= '2026-01-01T01:00:00Z' AND time <= '2026-01-01T02:00:00Z' GROUP BY time(10m)
SELECT cumulative_sum(derivative(mean(flow))) FROM water WHERE time >= '2026-01-01T01:00:00Z' AND time <= '2026-01-01T02:00:00Z' GROUP BY time(10m)
SELECT difference(max(flow)) FROM water WHERE time >= '2026-01-01T01:00:00Z' AND time <= '2026-01-01T02:00:00Z' GROUP BY time(10m) ORDER BY time DESC
SELECT difference(count(distinct(vehicles))) FROM water WHERE time >= '2026-01-01T01:00:00Z' AND time <= '2026-01-01T02:00:00Z' GROUP BY time(10m)
SELECT mean(flow) FROM water WHERE time > now() - 20000h GROUP BY time(1000h)
SELECT median(flow) FROM water GROUP BY sensor, district ORDER BY time DESC
SELECT max(flow), district FROM water GROUP BY sensor ORDER BY time DESC
SELECT flow, pressure FROM water WHERE sensor = 'n1' ORDER BY time DESC LIMIT 3
SELECT stddev(flow) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(5m), sensor fill(previous)
SELECT mode(open) FROM water GROUP BY sensor
SELECT vehicles | 3, vehicles ^ 5, vehicles % 0, vehicles / 0, flow % 7, flow / 0 FROM traffic
SELECT flow | 2 FROM traffic
SELECT open & true FROM water LIMIT 3
SELECT vehicles * 1.5, vehicles + 1, vehicles - flow FROM traffic LIMIT 3
SELECT x FROM (SELECT sqrt(n) AS x FROM traffic)
SELECT sqrt(state) FROM water LIMIT 3
SELECT mean(x) FROM (SELECT sqrt(n) AS x FROM traffic)
SELECT asin(flow), acos(n) FROM traffic LIMIT 3
SELECT mode(v) FROM zoned WHERE time >= '2026-03-29T00:00:00Z' AND time < '2026-03-31T12:00:00Z' GROUP BY time(1h) fill(0) ORDER BY time DESC tz('Asia/Kolkata')
SELECT sensor::field, flow FROM traffic, water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:17:00Z' AND 50 < flow GROUP BY sensor LIMIT 3
SELECT flow % 3.5, flow / vehicles FROM marsad.autogen.traffic WHERE time >= '2026-01-01T00:03:00Z' AND time < '2026-01-01T01:17:00Z' AND vehicles > 2 AND flow < 80 GROUP BY * LIMIT 2 OFFSET 1
SELECT bottom(vehicles, sensor, 2) FROM /t/ WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T01:20:00Z' GROUP BY time(20m), * LIMIT 3 SLIMIT 2 SOFFSET 1 tz('America/New_York')
SELECT flow, sensor::tag FROM traffic, water WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T02:00:00Z' AND (open = true OR state = 'on')
SELECT difference(max(v)) FROM zoned WHERE time >= '2026-03-28T07:30:00Z' AND time < '2026-03-30T12:00:00Z' GROUP BY time(1h) fill(previous) tz('Europe/Paris')
SELECT mean(z) FROM (SELECT x * 2 AS z, sensor FROM (SELECT flow AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY sensor)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(20m)
SELECT * FROM (SELECT mean(x) AS z FROM (SELECT flow * 2 AS x, pressure AS y, sensor FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z')) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z'
SELECT flow % 3.5, flow / vehicles FROM (SELECT mean(flow) AS flow, max(vehicles) AS vehicles FROM water GROUP BY sensor) WHERE time >= '2026-01-01T00:03:00Z' AND time < '2026-01-01T01:00:00Z' AND flow::integer > 30 GROUP BY sensor ORDER BY time DESC
SELECT x AS z FROM (SELECT top(flow, sensor, 3) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z') WHERE x > 10
SELECT sensor::field, flow FROM (SELECT flow, vehicles FROM water), (SELECT flow, vehicles FROM traffic) WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:00:00Z' AND sensor =~ /[12]/ GROUP BY * ORDER BY time DESC LIMIT 3
SELECT max(x) AS z FROM (SELECT distinct(vehicles) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:20:00Z' GROUP BY sensor) GROUP BY sensor
SELECT flow::string, state FROM /nothing/ WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T01:17:00Z' AND abs(pressure) > 4 LIMIT 3
SELECT count(*) FROM /t/ WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T01:20:00Z' GROUP BY time(1h), district
SELECT max(v) FROM zoned WHERE time >= '2026-03-29T00:00:00Z' AND time < '2026-03-31T12:00:00Z' GROUP BY time(3h) tz('Europe/Paris')
SELECT flow % 3.5, flow / vehicles FROM /t/ WHERE time >= '2026-01-01T00:03:00Z' AND time < '2026-01-01T02:00:00Z' AND state != 'on' AND state != '' GROUP BY *
SELECT mean(flow) FROM (SELECT mean(flow) AS flow, max(vehicles) AS vehicles FROM water GROUP BY sensor) WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY sensor ORDER BY time DESC LIMIT 3 tz('Asia/Kolkata')
SELECT mean(*) FROM traffic, water WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY time(20m), /^[sd]/ fill(none) ORDER BY time DESC LIMIT 3 tz('Asia/Qatar')
SELECT derivative(mean(*), 1m) FROM /nothing/ WHERE time >= '2026-01-01T00:03:00Z' AND time < '2026-01-01T02:17:00Z' GROUP BY time(10m) ORDER BY time DESC tz('Asia/Qatar')
SELECT max(z) FROM (SELECT mean(x) AS z FROM (SELECT difference(flow) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY sensor)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z'
SELECT last(*) FROM /^w/ WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:17:00Z' GROUP BY time(1h), sensor ORDER BY time DESC SLIMIT 2 SOFFSET 1
SELECT min(flow), sensor FROM marsad.autogen.traffic WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(20m), district ORDER BY time DESC tz('America/New_York')
SELECT difference(max(/^[fv]/)) FROM water, traffic WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:17:00Z' GROUP BY time(7m, 2m), district fill(none)
SELECT x AS z FROM (SELECT mean(flow) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(5m), sensor) WHERE x > 10
SELECT mean(v), count(v) FROM zoned WHERE time >= '2026-03-29T07:30:00Z' AND time < '2026-03-31T12:00:00Z' GROUP BY time(12h) fill(previous) tz('Europe/Paris')
SELECT flow, sensor::tag FROM (SELECT flow, vehicles FROM water), (SELECT flow, vehicles FROM traffic) WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T01:17:00Z' AND open GROUP BY district, road ORDER BY time DESC LIMIT 3
SELECT sum(v) FROM zoned WHERE time >= '2026-03-29T00:00:00Z' AND time < '2026-03-31T12:00:00Z' GROUP BY time(1h) tz('Europe/Paris')
SELECT max(v) FROM zoned WHERE time >= '2026-10-24T07:30:00Z' AND time < '2026-10-26T12:00:00Z' GROUP BY time(6h) tz('Asia/Kolkata')
SELECT * FROM (SELECT sum(x) AS z FROM (SELECT count(distinct(state)) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(20m), district) GROUP BY time(10m)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z'
SELECT * FROM (SELECT sum(x) AS z FROM (SELECT max(flow) - min(flow) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY time(10m), sensor) GROUP BY time(10m)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z'
SELECT pow(flow, 2), sqrt(flow), ln(flow), exp(vehicles) FROM /t/ WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T01:17:00Z' AND (open = true OR state = 'on') ORDER BY time DESC LIMIT 3
SELECT x AS z FROM (SELECT flow * 2 AS x, pressure AS y, sensor FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z') WHERE x > 10
SELECT mean(z) FROM (SELECT derivative(x, 1m) AS z FROM (SELECT last(flow) AS x, sensor, district FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:20:00Z' GROUP BY sensor) GROUP BY sensor) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:20:00Z' GROUP BY time(20m)
SELECT abs(flow), ceil(flow), floor(flow), round(flow) FROM (SELECT mean(flow) AS flow, max(vehicles) AS vehicles FROM water GROUP BY sensor) WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T01:20:00Z' AND (open = true OR state = 'on') GROUP BY * LIMIT 3
SELECT flow::string, state FROM /nothing/ WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z' AND road = 'a' GROUP BY district, road LIMIT 3
SELECT count(v) FROM zoned WHERE time >= '2026-10-25T07:30:00Z' AND time < '2026-10-27T12:00:00Z' GROUP BY time(1d) fill(0) tz('Asia/Qatar')
SELECT spread(/o/) FROM traffic, water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' ORDER BY time DESC
SELECT max(z) FROM (SELECT count(x) AS z, max(x) AS w FROM (SELECT distinct(vehicles) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY sensor) GROUP BY time(20m)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z'
SELECT /^[fs]/ FROM (SELECT flow, vehicles FROM water), (SELECT flow, vehicles FROM traffic) WHERE time >= '2026-01-01T00:03:00Z' AND time < '2026-01-01T01:20:00Z' AND 50 < flow GROUP BY district, road ORDER BY time DESC
SELECT distinct(vehicles) FROM /^w/ WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:17:00Z' GROUP BY time(10m), road, sensor LIMIT 3
SELECT * FROM (SELECT mean(x) AS z FROM (SELECT count(distinct(state)) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY time(20m), district)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z'
SELECT count(z), min(z) FROM (SELECT x * 2 AS z, sensor FROM (SELECT cumulative_sum(count(flow)) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(10m), sensor)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' AND z > 0
SELECT z FROM (SELECT max(x) AS z FROM (SELECT flow * 2 AS x, pressure AS y, sensor FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z') GROUP BY sensor) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' LIMIT 5
SELECT z FROM (SELECT max(x) AS z FROM (SELECT cumulative_sum(count(flow)) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(10m), sensor) GROUP BY sensor) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' LIMIT 5
SELECT integral(flow) FROM traffic WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:00:00Z'
SELECT percentile(*, 75) FROM water WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T01:17:00Z' SLIMIT 2 SOFFSET 1 tz('Asia/Kolkata')
SELECT derivative(mean(*), 1m) FROM /^w/ WHERE time >= '2026-01-01T00:03:00Z' AND time < '2026-01-01T02:17:00Z' GROUP BY time(1h), district fill(previous) SLIMIT 2 SOFFSET 1
SELECT vehicles & 7, vehicles | 8 FROM /t/ WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T01:20:00Z' AND nothing > 3 GROUP BY sensor LIMIT 2 OFFSET 1
SELECT integral(v, 1h) FROM zoned WHERE time >= '2026-10-25T00:00:00Z' AND time < '2026-10-27T12:00:00Z' GROUP BY time(30m) ORDER BY time DESC tz('Asia/Qatar')
SELECT vehicles & 7, vehicles | 8 FROM /^w/ WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:20:00Z' AND sensor =~ /[12]/ GROUP BY *
SELECT distinct(vehicles) FROM autogen.water WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(7m, 2m), /^[sd]/ ORDER BY time DESC LIMIT 3 SLIMIT 2 SOFFSET 1
SELECT mean(z) FROM (SELECT x AS z FROM (SELECT top(flow, sensor, 3) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z') WHERE x > 10) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(20m)
SELECT integral(v, 1h) FROM zoned WHERE time >= '2026-10-25T00:00:00Z' AND time < '2026-10-27T12:00:00Z' GROUP BY time(1h) tz('Europe/Paris')
SELECT median(vehicles) FROM (SELECT flow, vehicles FROM water), (SELECT flow, vehicles FROM traffic) WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T01:20:00Z' GROUP BY /^[sd]/
SELECT vehicles::boolean, flow FROM /nothing/ WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:17:00Z' AND flow > 20 GROUP BY district, road
SELECT z FROM (SELECT count(x) AS z, max(x) AS w FROM (SELECT count(distinct(state)) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(20m), district) GROUP BY time(20m)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' LIMIT 5
SELECT mean(v), count(v) FROM zoned WHERE time >= '2026-10-25T07:30:00Z' AND time < '2026-10-27T12:00:00Z' GROUP BY time(4h) fill(none) tz('Asia/Kolkata')
SELECT count(*) FROM traffic WHERE time >= '2026-01-01T00:03:00Z' AND time < '2026-01-01T01:17:00Z' LIMIT 3 SLIMIT 2 SOFFSET 1 tz('Asia/Kolkata')
SELECT vehicles::boolean, flow FROM /^w/ WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T02:00:00Z' AND flow * 2 > vehicles GROUP BY * ORDER BY time DESC LIMIT 3
SELECT sin(flow), cos(flow), tan(vehicles), atan(flow) FROM (SELECT mean(flow) AS flow, max(vehicles) AS vehicles FROM water GROUP BY sensor) WHERE time >= '2026-01-01T00:03:00Z' AND time < '2026-01-01T01:00:00Z' AND open GROUP BY district, road LIMIT 2 OFFSET 1
SELECT percentile(*, 75) FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T01:17:00Z' GROUP BY * tz('America/New_York')
SELECT mean(flow) FROM /t/ WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:17:00Z' GROUP BY sensor LIMIT 3 SLIMIT 1 tz('America/New_York')
SELECT mean(v), count(v) FROM zoned WHERE time >= '2026-10-24T07:30:00Z' AND time < '2026-10-26T12:00:00Z' GROUP BY time(30m) tz('Europe/Paris')
SELECT spread(/o/) FROM water WHERE time >= '2026-01-01T00:03:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY road, sensor ORDER BY time DESC SLIMIT 1 tz('America/New_York')
SELECT first(flow), vehicles FROM water, traffic WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(10m), district fill(previous) LIMIT 3
SELECT max(z) FROM (SELECT x * 2 AS z, sensor FROM (SELECT mean(flow) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:20:00Z' GROUP BY time(5m), sensor)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:20:00Z'
SELECT mode(v) FROM zoned WHERE time >= '2026-03-29T07:30:00Z' AND time < '2026-03-31T12:00:00Z' GROUP BY time(1w) fill(previous) tz('Europe/Paris')
SELECT sum(v) FROM zoned WHERE time >= '2026-10-25T07:30:00Z' AND time < '2026-10-27T12:00:00Z' GROUP BY time(12h) fill(none) tz('Asia/Kolkata')
SELECT count(z), min(z) FROM (SELECT count(x) AS z, max(x) AS w FROM (SELECT last(flow) AS x, sensor, district FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY sensor) GROUP BY time(20m)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z' AND z > 0
SELECT bottom(vehicles, sensor, 2) FROM (SELECT mean(flow) AS flow, max(vehicles) AS vehicles FROM water GROUP BY sensor) WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:17:00Z' GROUP BY time(20m), road, sensor
SELECT count(z), min(z) FROM (SELECT count(x) AS z, max(x) AS w FROM (SELECT top(flow, sensor, 3) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z') GROUP BY time(20m)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' AND z > 0
SELECT first(v) FROM zoned WHERE time >= '2026-03-28T07:30:00Z' AND time < '2026-03-30T12:00:00Z' GROUP BY time(1d) fill(0) tz('Asia/Kolkata')
SELECT integral(v, 1h) FROM zoned WHERE time >= '2026-03-28T07:30:00Z' AND time < '2026-03-30T12:00:00Z' GROUP BY time(30m) tz('Asia/Kolkata')
SELECT * FROM (SELECT x * 2 AS z, sensor FROM (SELECT cumulative_sum(count(flow)) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(10m), sensor)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z'
SELECT derivative(x, 1m) AS z FROM (SELECT max(flow) - min(flow) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(10m), sensor) GROUP BY sensor
SELECT count(z), min(z) FROM (SELECT x AS z FROM (SELECT flow * 2 AS x, pressure AS y, sensor FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z') WHERE x > 10) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' AND z > 0
SELECT count(flow) FROM (SELECT mean(flow) AS flow, max(vehicles) AS vehicles FROM water GROUP BY sensor) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(10m), * ORDER BY time DESC
SELECT max(n), max(pressure) FROM traffic WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY time(1h), district LIMIT 3
SELECT mean(z) FROM (SELECT sum(x) AS z FROM (SELECT flow * 2 AS x, pressure AS y, sensor FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z') GROUP BY time(10m)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY time(20m)
SELECT count(v) FROM zoned WHERE time >= '2026-10-24T07:30:00Z' AND time < '2026-10-26T12:00:00Z' GROUP BY time(6h, 1h) fill(previous) tz('Asia/Kolkata')
SELECT max(/^[fv]/) FROM /^w/ WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY time(1h), sensor fill(linear) ORDER BY time DESC SLIMIT 2 SOFFSET 1
SELECT max(z) FROM (SELECT count(x) AS z, max(x) AS w FROM (SELECT flow AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY sensor) GROUP BY time(20m)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z'
SELECT z FROM (SELECT derivative(x, 1m) AS z FROM (SELECT cumulative_sum(count(flow)) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(10m), sensor) GROUP BY sensor) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' LIMIT 5
SELECT integral(v, 1h) FROM zoned WHERE time >= '2026-03-28T00:00:00Z' AND time < '2026-03-30T12:00:00Z' GROUP BY time(1w) ORDER BY time DESC tz('Asia/Kolkata')
SELECT atan2(flow, vehicles), log2(flow), log10(flow), log(flow, 2) FROM (SELECT mean(flow) AS flow, max(vehicles) AS vehicles FROM water GROUP BY sensor) WHERE time >= '2026-01-01T00:03:00Z' AND time < '2026-01-01T01:00:00Z' AND district = ''
SELECT sum(v) FROM zoned WHERE time >= '2026-03-28T07:30:00Z' AND time < '2026-03-30T12:00:00Z' GROUP BY time(2h) fill(previous) tz('Asia/Qatar')
SELECT sin(flow), cos(flow), tan(vehicles), atan(flow) FROM traffic WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:20:00Z' AND open GROUP BY * LIMIT 3
SELECT max(v) FROM zoned WHERE time >= '2026-10-24T00:00:00Z' AND time < '2026-10-26T12:00:00Z' GROUP BY time(1d) fill(none) ORDER BY time DESC tz('Europe/Paris')
SELECT mean(*) FROM traffic WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY district ORDER BY time DESC SLIMIT 1 tz('Asia/Kolkata')
SELECT mean(flow) FROM traffic, water WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T01:17:00Z' GROUP BY time(7m, 2m), district fill(none) ORDER BY time DESC LIMIT 3 tz('Asia/Qatar')
SELECT flow::string, state FROM /t/ WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:20:00Z' AND district = '' GROUP BY * LIMIT 3
SELECT z FROM (SELECT mean(x) AS z FROM (SELECT flow AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:20:00Z' GROUP BY sensor)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:20:00Z' LIMIT 5
SELECT abs(flow), ceil(flow), floor(flow), round(flow) FROM (SELECT mean(flow) AS flow, max(vehicles) AS vehicles FROM water GROUP BY sensor) WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T02:20:00Z' AND state != 'on' AND state != '' LIMIT 2 OFFSET 1
SELECT sensor::field, flow FROM autogen.water WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T02:00:00Z' AND open LIMIT 3
SELECT mode(v) FROM zoned WHERE time >= '2026-03-29T00:00:00Z' AND time < '2026-03-31T12:00:00Z' GROUP BY time(4h) fill(previous) tz('Asia/Qatar')
SELECT mean(z) FROM (SELECT max(x) AS z FROM (SELECT flow AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY sensor) GROUP BY sensor) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY time(20m)
SELECT difference(max(v)) FROM zoned WHERE time >= '2026-10-24T00:00:00Z' AND time < '2026-10-26T12:00:00Z' GROUP BY time(12h) tz('Europe/Paris')
SELECT pow(flow, 2), sqrt(flow), ln(flow), exp(vehicles) FROM /t/ WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z' AND vehicles % 2 = 1 GROUP BY district, road
SELECT count(v) FROM zoned WHERE time >= '2026-03-29T07:30:00Z' AND time < '2026-03-31T12:00:00Z' GROUP BY time(1d, 6h) fill(none) tz('Europe/Paris')
SELECT mode(v) FROM zoned WHERE time >= '2026-03-29T00:00:00Z' AND time < '2026-03-31T12:00:00Z' GROUP BY time(1d) fill(0) ORDER BY time DESC tz('Asia/Kolkata')
SELECT max(v) FROM zoned WHERE time >= '2026-10-24T00:00:00Z' AND time < '2026-10-26T12:00:00Z' GROUP BY time(1d) fill(0) ORDER BY time DESC tz('Europe/Paris')
SELECT flow, sensor::tag FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:17:00Z' AND nothing > 3 LIMIT 2 OFFSET 1
SELECT count(flow) FROM (SELECT mean(flow) AS flow, max(vehicles) AS vehicles FROM water GROUP BY sensor) WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T02:17:00Z' GROUP BY district ORDER BY time DESC tz('Asia/Qatar')
SELECT /^[fs]/ FROM marsad.autogen.traffic WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T01:17:00Z' AND nothing != 'a' GROUP BY * LIMIT 3
SELECT flow::string, state FROM water WHERE time >= '2026-01-01T00:03:00Z' AND time < '2026-01-01T01:00:00Z' AND district = '' GROUP BY * ORDER BY time DESC
SELECT *::field FROM /t/ WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z' AND vehicles % 2 = 1 GROUP BY * LIMIT 3
SELECT count(v) FROM zoned WHERE time >= '2026-10-24T07:30:00Z' AND time < '2026-10-26T12:00:00Z' GROUP BY time(6h, 1h) fill(0) tz('Europe/Paris')
SELECT mean(z) FROM (SELECT x * 2 AS z, sensor FROM (SELECT count(distinct(state)) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(20m), district)) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(20m)
SELECT first(flow), vehicles FROM water WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY time(1h), * fill(previous) LIMIT 3 tz('America/New_York')
SELECT sum(v) FROM zoned WHERE time >= '2026-03-29T07:30:00Z' AND time < '2026-03-31T12:00:00Z' GROUP BY time(3h) tz('Asia/Qatar')
SELECT integral(flow) FROM traffic WHERE time >= '2026-01-01T00:03:00Z' AND time < '2026-01-01T01:17:00Z'
SELECT difference(max(v)) FROM zoned WHERE time >= '2026-03-28T00:00:00Z' AND time < '2026-03-30T12:00:00Z' GROUP BY time(30m) fill(0) tz('Europe/Paris')
SELECT * FROM (SELECT derivative(x, 1m) AS z FROM (SELECT difference(flow) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY sensor) GROUP BY sensor) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z'
SELECT distinct(vehicles) FROM traffic WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:17:00Z' GROUP BY time(10m) ORDER BY time DESC SLIMIT 1
SELECT mode(v) FROM zoned WHERE time >= '2026-10-25T00:00:00Z' AND time < '2026-10-27T12:00:00Z' GROUP BY time(1d, 6h) tz('Asia/Kolkata')
SELECT n, road, open FROM autogen.water WHERE time >= '2026-01-01T00:03:00Z' AND time < '2026-01-01T02:00:00Z' AND (open = true OR state = 'on') GROUP BY * ORDER BY time DESC LIMIT 2 OFFSET 1
SELECT difference(max(v)) FROM zoned WHERE time >= '2026-03-29T07:30:00Z' AND time < '2026-03-31T12:00:00Z' GROUP BY time(6h) fill(previous) tz('Asia/Qatar')
SELECT max(vehicles) FROM water, traffic WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T01:00:00Z' GROUP BY time(10m), * fill(previous) LIMIT 3
SELECT first(v) FROM zoned WHERE time >= '2026-10-25T00:00:00Z' AND time < '2026-10-27T12:00:00Z' GROUP BY time(1h) fill(previous) ORDER BY time DESC tz('Europe/Paris')
SELECT /^[fs]/ FROM water, traffic WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:17:00Z' AND nothing != 'a' GROUP BY * LIMIT 3
SELECT distinct(open) FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T01:00:00Z' AND vehicles >= 0 AND sensor != 's1' GROUP BY sensor, district, time(25m) LIMIT 5
SELECT max(x) FROM (SELECT first(vehicles) AS x, count(flow) AS c FROM water WHERE open = true GROUP BY *) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' AND x > 20
SELECT bottom(flow, 4), sensor FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:11:00Z' AND sensor = 'n1' GROUP BY *, time(7m)
SELECT max(x) FROM (SELECT percentile(pressure, 99.5) AS x, count(flow) AS c FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' AND sensor =~ /^[ns]/ GROUP BY district) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' AND x > 20 GROUP BY time(20m) ORDER BY time DESC
SELECT bottom(flow, sensor, district, 2), state FROM water WHERE time >= '2026-01-01T00:07:00Z' AND time < '2026-01-01T02:11:00Z' GROUP BY time(10m, 3m), district
SELECT last(flow), district, flow FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T01:00:00Z' AND vehicles % 2 = 0 GROUP BY *, time(10m)
SELECT state, sensor, vehicles FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' AND (state = 'on' OR flow < 20) GROUP BY sensor, district
SELECT percentile(flow, 60), state, flow FROM water WHERE time >= '2026-01-01T00:07:00Z' AND time < '2026-01-01T01:00:00Z' AND district != 'north' GROUP BY district, time(10m), sensor fill(previous) ORDER BY time DESC LIMIT 2
SELECT state, vehicles, flow FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:20:00Z' AND district != 'north' ORDER BY time DESC
SELECT mean(vehicles), mean(pressure), moving_average(spread(vehicles), 2) FROM water WHERE time >= '2026-01-01T00:07:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY time(5m), district, sensor
SELECT first(x) FROM (SELECT last(state) AS x, count(flow) AS c FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' AND pressure < 20 GROUP BY district) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z'
SELECT integral(flow) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:11:00Z' GROUP BY time(10m)
SELECT state, open, sensor FROM water WHERE district != 'north' GROUP BY *
SELECT percentile(vehicles, 60), flow, open FROM water WHERE time >= '2026-01-01T00:07:00Z' AND time < '2026-01-01T02:11:00Z' AND open = true GROUP BY time(10m), district fill(none) ORDER BY time DESC LIMIT 1
SELECT last(flow), district, sensor FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:11:00Z' GROUP BY time(10m), * 
SELECT bottom(flow, sensor, district, 2) FROM water WHERE time >= '2026-01-01T00:07:00Z' AND time < '2026-01-01T01:00:00Z' AND (state = 'on' OR flow < 20) GROUP BY time(1h)
SELECT count(state) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T02:20:00Z' AND vehicles >= 0 AND sensor != 's1' GROUP BY *, time(1h) 
SELECT sum(flow) FROM water WHERE open = true GROUP BY *
SELECT elapsed(median(flow), 1s), first(state) FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T01:00:00Z' AND vehicles % 2 = 0 GROUP BY time(10m), district LIMIT 2
SELECT open, vehicles, district FROM water WHERE flow > 30
SELECT first(open) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY sensor, district, time(10m, 3m)
SELECT top(flow, district, 2) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:11:00Z' AND (flow + pressure) > 50 GROUP BY time(10m), sensor
SELECT difference(flow) FROM water WHERE flow > 30 GROUP BY district ORDER BY time DESC
SELECT spread(flow) * 2 FROM water WHERE open = true GROUP BY sensor, district ORDER BY time DESC LIMIT 2
SELECT bottom(flow, 1) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T02:11:00Z' AND pressure < 20 GROUP BY time(7m) ORDER BY time DESC
SELECT vehicles, state FROM water WHERE sensor = 'n1' GROUP BY sensor
SELECT percentile(pressure, 60), state FROM water LIMIT 2
SELECT integral(flow) FROM water WHERE time >= '2026-01-01T00:07:00Z' AND time < '2026-01-01T01:11:00Z' AND sensor = 'n1'
SELECT bottom(flow, sensor, 1), sensor FROM water WHERE vehicles % 2 = 0 GROUP BY *
SELECT last(flow), stddev(vehicles) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T01:00:00Z' AND flow > 30 GROUP BY sensor, district, time(1h) fill(3.7) ORDER BY time DESC
SELECT derivative(spread(pressure)), mean(flow) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T01:20:00Z' GROUP BY sensor, time(1h)
SELECT bottom(vehicles, district, 1) FROM water GROUP BY district, sensor ORDER BY time DESC
SELECT first(flow), state, open FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:11:00Z' AND sensor = 'n1' GROUP BY time(25m), district fill(none)
SELECT count(vehicles) / 3 FROM water WHERE open = true GROUP BY district
SELECT last(x) FROM (SELECT stddev(pressure) AS x FROM water WHERE (state = 'on' OR flow < 20) GROUP BY sensor) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY time(20m) fill(0)
SELECT sensor, flow, vehicles / 4 FROM water WHERE time >= '2026-01-01T00:07:00Z' AND time < '2026-01-01T02:11:00Z' AND vehicles % 2 = 0 GROUP BY district ORDER BY time DESC
SELECT moving_average(last(pressure), 2) FROM water WHERE time >= '2026-01-01T00:07:00Z' AND time < '2026-01-01T01:00:00Z' AND (state = 'on' OR flow < 20) GROUP BY sensor, time(25m) fill(3.7)
SELECT first(pressure), vehicles FROM water WHERE (state = 'on' OR flow < 20) GROUP BY sensor LIMIT 1
SELECT sum(pressure), moving_average(count(flow), 2), min(vehicles) / 3 FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T01:20:00Z' AND district != 'north' GROUP BY time(10m), sensor LIMIT 1 OFFSET 3
SELECT count(distinct(flow)) FROM water WHERE time >= '2026-01-01T00:07:00Z' AND time < '2026-01-01T01:20:00Z' AND (state = 'on' OR flow < 20) GROUP BY time(25m), sensor fill(3.7)
SELECT spread(pressure), non_negative_derivative(spread(flow), 10s) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T01:00:00Z' AND sensor = 'n1' GROUP BY time(5m) fill(previous)
SELECT spread(vehicles) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T01:11:00Z' AND sensor =~ /^[ns]/ GROUP BY time(7m), district fill(linear) ORDER BY time DESC LIMIT 2
SELECT non_negative_derivative(vehicles, 10s) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T02:11:00Z' AND open = true GROUP BY * ORDER BY time DESC
SELECT mean(flow) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T02:11:00Z' AND open = true GROUP BY time(1h) fill(none) LIMIT 2
SELECT top(pressure, district, 1), sensor FROM water WHERE open = true
SELECT max(x), sensor FROM (SELECT flow AS x, vehicles AS c, state FROM water WHERE open = true GROUP BY *) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:20:00Z' GROUP BY sensor, time(20m)
SELECT vehicles, district, state, vehicles % 3 FROM water WHERE flow > 30 GROUP BY district ORDER BY time DESC LIMIT 1
SELECT min(pressure), district FROM water GROUP BY * ORDER BY time DESC
SELECT integral(pressure, 1m) FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T01:11:00Z' AND district != 'north' GROUP BY time(10m)
SELECT stddev(pressure), spread(pressure) / 3, first(pressure) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T01:20:00Z' AND (flow + pressure) > 50 GROUP BY *, time(5m) fill(none) LIMIT 5 OFFSET 3
SELECT first(x) FROM (SELECT count(distinct(state)) AS x, count(flow) AS c FROM water WHERE open = true GROUP BY district) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY time(20m) fill(0)
SELECT open, district FROM water WHERE sensor =~ /^[ns]/ GROUP BY district
SELECT count(x) FROM (SELECT last(open) AS x FROM water WHERE vehicles >= 0 AND sensor != 's1' GROUP BY district) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' GROUP BY sensor
SELECT first(vehicles), vehicles FROM water WHERE sensor =~ /^[ns]/ GROUP BY district
SELECT spread(vehicles) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY time(10m) fill(3.7)
SELECT moving_average(vehicles, 2) FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY district, sensor
SELECT last(pressure) FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T01:11:00Z' AND flow > 30 GROUP BY time(10m, 3m), * fill(previous) LIMIT 2
SELECT sum(vehicles), first(state), min(pressure) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T01:20:00Z' AND vehicles >= 0 AND sensor != 's1' GROUP BY sensor, district, time(10m) fill(previous) ORDER BY time DESC
SELECT count(distinct(state)), median(pressure), last(state) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T01:20:00Z' AND sensor = 'n1' GROUP BY district, time(1h) 
SELECT x FROM (SELECT count(open) AS x FROM water WHERE (flow + pressure) > 50 GROUP BY time(1h), district) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:10:00Z' GROUP BY district
SELECT spread(x) FROM (SELECT median(vehicles) AS x FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' AND sensor = 'n1' GROUP BY *) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z'
SELECT * FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:00:00Z' AND (flow + pressure) > 50 GROUP BY sensor, district
SELECT min(pressure), spread(pressure), median(flow) FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY *
SELECT bottom(flow, sensor, 2), state FROM water WHERE vehicles >= 0 AND sensor != 's1' GROUP BY district ORDER BY time DESC
SELECT cumulative_sum(vehicles) FROM water WHERE (flow + pressure) > 50 GROUP BY sensor, district ORDER BY time DESC
SELECT count(pressure), last(pressure) FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:20:00Z' GROUP BY time(1h), sensor fill(linear)
SELECT last(vehicles), state FROM water WHERE sensor = 'n1' GROUP BY * ORDER BY time DESC
SELECT first(x) FROM (SELECT first(open) AS x FROM water GROUP BY district) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T01:10:00Z' GROUP BY time(20m)
SELECT count(open), spread(flow) FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T01:20:00Z' AND flow > 30 GROUP BY district, time(10m, 3m)
SELECT integral(flow) FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T01:11:00Z' AND vehicles % 2 = 0 GROUP BY time(10m)
SELECT x FROM (SELECT flow AS x, vehicles AS c, state FROM water WHERE (flow + pressure) > 50 GROUP BY district, sensor) WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY district
SELECT bottom(pressure, district, 4), sensor FROM water WHERE time >= '2026-01-01T00:00:00Z' AND time < '2026-01-01T02:00:00Z' AND sensor =~ /^[ns]/ GROUP BY time(5m)
SELECT elapsed(vehicles, 1s) FROM water WHERE vehicles % 2 = 0
SELECT last(vehicles) FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T02:20:00Z' GROUP BY district ORDER BY time DESC LIMIT 2
SELECT non_negative_derivative(max(pressure), 10s) FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:11:00Z' AND (state = 'on' OR flow < 20) GROUP BY time(1h)
SELECT vehicles FROM water WHERE vehicles % 2 = 0
SELECT percentile(pressure, 60), district, open FROM water WHERE time >= '2026-01-01T00:30:00Z' AND time < '2026-01-01T01:00:00Z' AND vehicles % 2 = 0 GROUP BY time(25m), sensor fill(previous) ORDER BY time DESC
SELECT bottom(vehicles, 4), sensor FROM water WHERE open = true
SELECT first(open), last(open) FROM water WHERE time >= '2026-01-01T00:13:00Z' AND time < '2026-01-01T02:11:00Z' GROUP BY time(7m) fill(linear)
SELECT pressure, sensor, vehicles % 3 FROM water WHERE (flow + pressure) > 50 GROUP BY * ORDER BY time DESC LIMIT 1
`;
