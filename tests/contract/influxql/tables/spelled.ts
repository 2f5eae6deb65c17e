/** Whose answers are compared to the last byte: numbers, texts, times and tags as they are written. */
export const spelled = [
  "SELECT * FROM anomaly",
  "SELECT speed, vehicles, open FROM road WHERE sensor = 'tf-5' LIMIT 5",
  "SELECT mean(vehicles), count(vehicles) FROM road GROUP BY municipality, role",
  "SELECT speed * 1000000000000, speed / 1e0, speed / 10000000000, speed * 1000000000000 * 1000000000000 FROM road LIMIT 3",
  "SELECT exp(speed), pow(vehicles, 20), temp FROM road, weather LIMIT 3",
  "SELECT count(speed) FROM road WHERE time >= '2026-03-28T00:00:00Z' AND time < '2026-03-30T00:00:00Z' GROUP BY time(12h) tz('Asia/Qatar')",
  "SELECT last(speed) FROM road; SELECT nothing FROM road; SHOW TAG KEYS FROM road",
  "SELECT nonsense",
  "SHOW MEASUREMENTS",
  "SHOW TAG VALUES FROM road WITH KEY = role",
  "SHOW FIELD KEYS",
  "SHOW SERIES FROM road",
  "SHOW DATABASES",
];
