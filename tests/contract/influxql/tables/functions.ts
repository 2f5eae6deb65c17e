import {
  aggregates,
  backward,
  before,
  fills,
  forward,
  groupings,
  mathematics,
  product,
  selectors,
  transformations,
  within,
} from "./fragments.ts";

/** Every function with every grouping. */
export const functions = [
  ...product(
    [...aggregates, ...selectors],
    groupings,
    (call, { where, groupBy }) => `SELECT ${call} FROM road WHERE ${where} ${groupBy}`,
  ),
  ...aggregates.map((call) => `SELECT ${call} FROM road`),
  ...product(
    [
      "count(flow)",
      "sum(flow)",
      "mean(pressure)",
      "mode(flow)",
      "first(total)",
      "integral(flow)",
      "stddev(pressure)",
      "top(flow, 2)",
      "percentile(flow, 90)",
    ],
    ["", "GROUP BY *", "GROUP BY time(1d), sensor"],
    (call, groupBy) => `SELECT ${call} FROM water WHERE ${within} ${groupBy}`,
  ),
  "SELECT mean(*) FROM road",
  "SELECT max(*) FROM road GROUP BY sensor",
  "SELECT count(*) FROM road, water",
  "SELECT count(*) FROM road WHERE sensor = 'tf-3'",
  "SELECT mean(/^(speed|flow)$/) FROM road, water",
  "SELECT last(*) FROM road GROUP BY municipality",
  "SELECT mean(speed), max(vehicles), min(vehicles) FROM road",
  "SELECT mean(speed) AS a, mean(vehicles), mean(speed) FROM road GROUP BY municipality",
  "SELECT max(speed), sensor FROM road",
  "SELECT max(speed), sensor, vehicles FROM road GROUP BY municipality",
  "SELECT first(speed), * FROM road WHERE sensor = 'tf-1'",
  "SELECT last(vehicles), district FROM road WHERE sensor = 'tf-6'",
  "SELECT percentile(speed, 50), open FROM road GROUP BY sensor",
  `SELECT min(speed), vehicles FROM road WHERE ${within} GROUP BY time(12h)`,
  "SELECT top(speed, 3), vehicles, sensor FROM road",
  "SELECT top(speed, sensor, 2), vehicles FROM road",
  "SELECT bottom(speed, municipality, sensor, 4) FROM road",
  `SELECT top(speed, 2), sensor FROM road WHERE ${within} GROUP BY time(1d)`,
  `SELECT bottom(vehicles, 2) FROM road WHERE ${within} GROUP BY time(1d), municipality`,
  "SELECT top(vehicles, 400) FROM road",
  "SELECT DISTINCT vehicles FROM road",
  "SELECT DISTINCT(vehicles) FROM road GROUP BY municipality",
  "SELECT count(DISTINCT vehicles) FROM road GROUP BY sensor",
  "SELECT integral(total) FROM water GROUP BY sensor",
  `SELECT integral(speed, 1h) FROM road WHERE ${within} GROUP BY time(5h), sensor`,
  `SELECT integral(flow) FROM water WHERE ${within} GROUP BY time(1h) fill(none)`,
  "SELECT stddev(speed) FROM road WHERE sensor = 'tf-5' AND time < '2026-03-27T01:00:00Z'",
  "SELECT median(temp), spread(temp), mode(temp), stddev(temp) FROM weather GROUP BY sensor",
  "SELECT mean(speed), mean(nothing) FROM road",
  "SELECT mean(speed) FROM road fill(linear)",
  "SELECT max(open), min(open) FROM road",
];

/** Functions over sequences. */
export const sequences = [
  ...product(
    transformations,
    ["", "GROUP BY sensor", "GROUP BY municipality"],
    (call, groupBy) => `SELECT ${call("speed")} FROM road WHERE ${within} AND sensor =~ /tf-[15]/ ${groupBy}`,
  ),
  ...product(
    transformations,
    ["vehicles"],
    (call, field) => `SELECT ${call(field)} FROM road WHERE sensor = 'tf-3' AND ${within}`,
  ),
  ...product(
    transformations,
    ["total"],
    (call, field) => `SELECT ${call(field)} FROM water WHERE sensor = 'w-1'`,
  ),
  ...product(
    transformations,
    ["mean(speed)", "count(vehicles)", "max(speed)", "last(vehicles)", "sum(vehicles)"],
    (call, of) => `SELECT ${call(of)} FROM road WHERE ${within} GROUP BY time(5h)`,
  ),
  ...product(
    transformations,
    [
      "GROUP BY time(3h), sensor",
      "GROUP BY time(3h), sensor fill(none)",
      "GROUP BY time(3h), sensor fill(previous)",
      "GROUP BY time(3h), sensor fill(0)",
      "GROUP BY time(3h), sensor fill(linear)",
    ],
    (call, groupBy) =>
      `SELECT ${call("mean(speed)")} FROM road WHERE ${within} AND sensor =~ /tf-[24]/ ${groupBy}`,
  ),
  ...transformations.map(
    (call) => `SELECT ${call("mean(speed)")} FROM road WHERE ${within} GROUP BY time(6h) ORDER BY time DESC`,
  ),
  ...transformations.map(
    (call) => `SELECT ${call("speed")} FROM road WHERE sensor = 'tf-1' ORDER BY time DESC LIMIT 20`,
  ),
  ...transformations.map(
    (call) => `SELECT ${call("speed")} FROM road WHERE sensor = 'tf-1' LIMIT 5 OFFSET 3`,
  ),
  `SELECT derivative(mean(total), 1h) FROM water WHERE ${within} GROUP BY time(2h), sensor`,
  `SELECT non_negative_derivative(max(total), 1h) AS rate FROM water WHERE ${within} GROUP BY time(2h) fill(none)`,
  `SELECT cumulative_sum(sum(vehicles)), mean(speed) FROM road WHERE ${within} GROUP BY time(12h)`,
  `SELECT moving_average(mean(speed), 2), difference(mean(speed)) FROM road WHERE ${within} GROUP BY time(12h)`,
  `SELECT difference(speed), derivative(speed) FROM road WHERE sensor = 'tf-1' AND ${within}`,
  "SELECT elapsed(open) FROM road WHERE sensor = 'tf-5'",
  "SELECT elapsed(speed, 1h) FROM road WHERE sensor = 'tf-2'",
  `SELECT difference(derivative(mean(speed), 1h)) FROM road WHERE ${within} GROUP BY time(6h)`,
];

/** Arithmetic, and functions of one value. */
export const values = [
  ...mathematics.map((call) => `SELECT ${call("speed")} FROM road WHERE sensor = 'tf-5'`),
  ...mathematics.map((call) => `SELECT ${call("vehicles + 2")} FROM road WHERE sensor = 'tf-5'`),
  ...mathematics.map(
    (call) => `SELECT ${call("mean(temp)")} FROM weather WHERE ${within} GROUP BY time(12h), sensor`,
  ),
  ...mathematics.map((call) => `SELECT ${call("temp / 100 + 0.5")} FROM weather WHERE temp > -40`),
  ...product(
    ["+", "-", "*", "/", "%"],
    [
      "speed @ vehicles",
      "vehicles @ 2",
      "vehicles @ 2.5",
      "speed @ 3",
      "7 @ vehicles",
      "1.5 @ speed",
      "vehicles @ vehicles",
    ],
    (op, of) => `SELECT ${of.replace("@", op)} FROM road WHERE sensor = 'tf-5'`,
  ),
  ...product(
    ["&", "|", "^"],
    ["vehicles @ 5", "vehicles @ vehicles", "12 @ vehicles"],
    (op, of) => `SELECT ${of.replace("@", op)} FROM road WHERE sensor = 'tf-5'`,
  ),
  "SELECT open & false, open | true, open ^ open FROM road WHERE sensor = 'tf-5'",
  "SELECT -speed, -(vehicles + 1), +vehicles FROM road WHERE sensor = 'tf-5'",
  "SELECT speed * 2 + vehicles / 4 - 1 AS mixed FROM road WHERE sensor = 'tf-1' LIMIT 20",
  "SELECT (speed + vehicles) * (speed - vehicles) FROM road WHERE sensor = 'tf-1' LIMIT 20",
  "SELECT mean(speed) / max(vehicles) FROM road GROUP BY sensor",
  "SELECT mean(speed) * 2, 100 - mean(speed) FROM road",
  "SELECT sum(vehicles) / count(vehicles), mean(vehicles) FROM road GROUP BY municipality",
  "SELECT sum(vehicles) % 7, sum(vehicles) & 15 FROM road GROUP BY sensor",
  `SELECT max(speed) - min(speed) AS range FROM road WHERE ${within} GROUP BY time(12h)`,
  ...product(
    [
      "max(speed) - min(speed)",
      "sum(vehicles) / sum(speed)",
      "mean(speed) * 3.6",
      "count(speed) + 1",
      "count(speed) / count(vehicles)",
    ],
    fills,
    (expression, fill) =>
      `SELECT ${expression} FROM road WHERE sensor =~ /tf-[24]/ AND ${within} GROUP BY time(5h) ${fill}`,
  ),
  `SELECT 10 * log10(mean(speed)) + 1 FROM road WHERE ${within} GROUP BY time(12h)`,
  "SELECT round(speed / 10) * 10 FROM road WHERE sensor = 'tf-5'",
  "SELECT abs(speed - 50), pow(vehicles, 2) FROM road WHERE sensor = 'tf-5'",
  "SELECT pow(speed, vehicles), atan2(speed, vehicles) FROM road WHERE sensor = 'tf-5'",
  "SELECT sqrt(abs(temp)), floor(temp) + ceil(temp) FROM weather",
  "SELECT 1 + 2 * speed FROM road WHERE sensor = 'tf-5'",
  "SELECT speed::integer, vehicles::float FROM road WHERE sensor = 'tf-5'",
  "SELECT speed::integer * 2, vehicles::float / 2 FROM road WHERE sensor = 'tf-5'",
  "SELECT sum(speed::integer) FROM road",
  "SELECT mean(vehicles::float) FROM road GROUP BY sensor",
  "SELECT open::boolean, open::integer FROM road WHERE sensor = 'tf-5'",
];

/** Windows, fills, zones, orders and limits. */
export const windows = [
  ...product(
    [
      "mean(speed)",
      "count(vehicles)",
      "last(vehicles)",
      "sum(vehicles)",
      "first(open)",
      "mode(vehicles)",
      "median(vehicles)",
    ],
    fills,
    (call, fill) =>
      `SELECT ${call} FROM road WHERE ${within} AND sensor =~ /tf-[24]/ GROUP BY time(3h), sensor ${fill}`,
  ),
  ...product(
    ["mean(speed), count(vehicles)", "max(vehicles), last(speed)"],
    fills,
    (calls, fill) =>
      `SELECT ${calls} FROM road WHERE ${within} AND sensor = 'tf-2' GROUP BY time(5h) ${fill} ORDER BY time DESC`,
  ),
  ...product(
    ["1h", "7h", "1d", "2d", "1w", "90m", "45m"],
    ["", ", 20m", ", -90m", ", 6h"],
    (every, offset) =>
      `SELECT count(speed), first(speed) FROM road WHERE ${within} GROUP BY time(${every}${offset}) fill(none)`,
  ),
  ...product(
    ["Europe/Berlin", "Asia/Qatar", "America/St_Johns", "UTC"],
    [
      `${forward} GROUP BY time(1d)`,
      `${forward} GROUP BY time(1h) fill(none)`,
      `${forward} GROUP BY time(6h), municipality fill(0)`,
      `${backward} GROUP BY time(1h) fill(none)`,
      `${backward} GROUP BY time(1d) fill(none)`,
      `${backward} GROUP BY time(2h) fill(none)`,
      `${forward} GROUP BY time(1w)`,
      `${forward} GROUP BY time(1d, 6h) fill(none)`,
    ],
    (zone, rest) => `SELECT count(speed), sum(vehicles) FROM road WHERE ${rest} tz('${zone}')`,
  ),
  ...product(
    ["Europe/Berlin", "Asia/Qatar"],
    [
      "mean(speed)",
      "integral(speed, 1h)",
      "first(vehicles)",
      "derivative(mean(speed), 1h)",
      "distinct(vehicles)",
      "top(speed, 2)",
    ],
    (zone, call) =>
      `SELECT ${call} FROM road WHERE ${forward} GROUP BY time(12h) fill(none) ORDER BY time DESC tz('${zone}')`,
  ),
  ...product(
    ["Europe/Berlin", "Asia/Qatar"],
    ["", "fill(previous)", "fill(linear)", "fill(0)"],
    (zone, fill) =>
      `SELECT mean(speed) FROM road WHERE ${forward} AND sensor = 'tf-2' GROUP BY time(3h) ${fill} tz('${zone}')`,
  ),
  ...product(
    ["2026-03-29T03:00:00Z", "2026-03-30T03:00:00Z", "2026-03-30T04:30:00Z"],
    ["1d, 6h", "1d, -2h", "12h, 5h", "2d, 1d", "1h, 30m", "6h, 7h"],
    (from, every) =>
      `SELECT count(speed) FROM road WHERE time > '${from}' AND time < '2026-03-31T00:00:00Z' GROUP BY time(${every}) tz('Europe/Berlin')`,
  ),
  "SELECT speed FROM road WHERE time >= '2026-03-29 01:30:00' AND time < '2026-03-29 04:00:00' tz('Europe/Berlin')",
  "SELECT speed FROM road WHERE time >= '2026-10-25 01:30:00' AND time < '2026-10-25 04:00:00' tz('Europe/Berlin')",
  "SELECT mean(speed) FROM road WHERE time >= '2026-03-28' AND time < '2026-03-30' GROUP BY time(1d) tz('Asia/Qatar')",
  ...product(
    ["", "ORDER BY time DESC"],
    ["LIMIT 3", "LIMIT 3 OFFSET 2", "OFFSET 5"],
    (order, limit) => `SELECT mean(speed) FROM road WHERE ${within} GROUP BY time(6h) ${order} ${limit}`,
  ),
  ...product(
    ["", "ORDER BY time DESC"],
    ["LIMIT 3", "LIMIT 3 OFFSET 2", "SLIMIT 2", "SLIMIT 1 SOFFSET 2", "LIMIT 1 SLIMIT 2 SOFFSET 1"],
    (order, limit) =>
      `SELECT mean(speed), count(speed) FROM road WHERE ${within} GROUP BY time(12h), sensor ${order} ${limit}`,
  ),
  "SELECT mean(speed) FROM road GROUP BY sensor SLIMIT 2",
  "SELECT mean(speed) FROM road GROUP BY * ORDER BY time DESC",
  "SELECT mean(speed) FROM road, water GROUP BY municipality",
  "SELECT mean(speed) FROM road GROUP BY /^(muni|dis)/",
  "SELECT mean(speed) FROM road GROUP BY nothing",
  "SELECT mean(speed) FROM road GROUP BY sensor, nothing",
  "SELECT mean(speed) FROM road GROUP BY speed",
  `SELECT mean(speed) FROM road WHERE time > '2026-03-28T00:00:00Z' AND time <= '2026-03-28T06:00:00Z' GROUP BY time(3h)`,
  `SELECT mean(speed) FROM road WHERE time >= '2026-03-28T01:10:00Z' AND time <= '2026-03-28T06:20:00Z' GROUP BY time(1h) fill(linear)`,
  "SELECT mean(speed) FROM road WHERE time = '2026-03-28T00:00:00Z' GROUP BY time(1h)",
  `SELECT count(speed) FROM road WHERE ${within} GROUP BY time(1d, now()) fill(none)`,
];

/** Functions that find nothing. */
export const functionsOfNothing = [
  `SELECT mean(speed) FROM road WHERE ${before}`,
  `SELECT count(speed) FROM road WHERE ${before}`,
  `SELECT count(speed), mean(speed) FROM road WHERE ${before} GROUP BY time(6h)`,
  `SELECT difference(speed) FROM road WHERE ${before} GROUP BY sensor`,
  "SELECT mean(nothing) FROM road",
  "SELECT mean(speed) FROM nothing",
  "SELECT moving_average(speed, 400) FROM road WHERE sensor = 'tf-1'",
  "SELECT mean(speed) FROM road GROUP BY sensor SLIMIT 2 SOFFSET 100",
  "SELECT mean(speed) FROM road GROUP BY sensor LIMIT 1 OFFSET 1",
  `SELECT mean(speed) FROM road WHERE ${within} GROUP BY time(6h) LIMIT 2 OFFSET 400`,
  `SELECT mean(speed) FROM road WHERE ${within} GROUP BY time(12h), sensor SOFFSET 3`,
];

/** Values that JSON cannot say. */
export const unsayable = product(
  ["ln", "log2", "log10"],
  ["vehicles", "vehicles / 100"],
  (name, of) => `SELECT ${name}(${of}) FROM road WHERE sensor = 'tf-5'`,
);
