/** With a real minus sign. */
export const fixed = (value: number): string => value.toFixed(3).replace("-", "−");
