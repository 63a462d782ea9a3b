// Seconds to a date and back: the Gregorian calendar, without time zones.

export interface CalendarDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const DAY = 86_400;

/** Seconds since the start of 1970. Days beyond the end of a month run into the next one. */
export function secondsOf({year, month, day, hour, minute, second}: CalendarDate): number {
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

export function dateOf(seconds: number): CalendarDate {
  const date = new Date(seconds * 1000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}

/** 1 Sunday to 7 Saturday, as a real-time clock counts. 1 January 1970 was a Thursday. */
export const weekdayOf = (seconds: number): number => ((Math.floor(seconds / DAY) + 4) % 7) + 1;
