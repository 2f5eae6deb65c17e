/** A series is one measurement of one sensor. Its number is given once, by the journal's dictionary, and never reused. */
export interface SeriesEntry {
  readonly series: number;
  readonly measurement: string;
  readonly agency: string;
  readonly sensor: string;
}
