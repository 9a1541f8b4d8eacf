/**
 * Writes dates as the real server does.
 *
 * @module
 */

/**
 * A date as Go writes it: RFC 3339 with up to nine fractional digits, without trailing zeros, and with the
 * time zone of the machine.
 *
 * @param milliseconds The date in milliseconds since 1970.
 * @param zoneMinutes How far the time zone is ahead of UTC, in minutes.
 */
export function formatGoTime(milliseconds: number, zoneMinutes: number): string {
  const whole = Math.floor(milliseconds);
  const nanoseconds = Math.floor((milliseconds - whole) * 1e6);
  const [seconds, fraction] = new Date(whole + zoneMinutes * 60_000).toISOString().split(/[.Z]/);
  const digits = `${fraction}${String(nanoseconds).padStart(6, "0")}`.replace(/(?<!0)0+$/, "");
  return seconds + (digits && `.${digits}`) + formatZone(zoneMinutes);
}

function formatZone(minutes: number): string {
  if (minutes === 0) return "Z";
  const two = (count: number) => String(count).padStart(2, "0");
  const ahead = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
}
