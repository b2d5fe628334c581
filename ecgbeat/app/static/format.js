// Numbers and times as people read them.

/** Return seconds as 12.3 s, 1:02.3 or 5:01:02, with `digits` decimals. */
export function time(seconds, digits = 1) {
  const sign = seconds < 0 ? "-" : "";
  const rounded = Number(Math.abs(seconds).toFixed(digits));
  const [hours, minutes] = [Math.floor(rounded / 3600), Math.floor(rounded / 60) % 60];
  const rest = (rounded % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  if (hours) return `${sign}${hours}:${String(minutes).padStart(2, "0")}:${rest}`;
  return `${sign}${minutes}:${rest}`;
}

/** Return a duration in words. */
export function duration(seconds) {
  if (seconds < 120) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 7200) return `${Number((seconds / 60).toFixed(1))} min`;
  return `${Number((seconds / 3600).toFixed(1))} h`;
}

export const count = (number) => number.toLocaleString("en-US");

/** Return a share in percent; only a whole that is none has no digit. */
export function percent(share) {
  if (share === 0) return "0 %";
  const value = 100 * share;
  if (value < 0.1) return "< 0.1 %";
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}
