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
`;
