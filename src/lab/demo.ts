/** What a demo gets from the page around it. */
export interface Place {
  /** Where it puts its elements. */
  host: HTMLElement;
  /** Its part of the address, after the "?". */
  query: string;
  /** Writes its state into the address, for sharing. */
  remember(query: string): void;
  /** A line for everybody, screen readers included: what is wrong, or what runs. */
  say(text: string): void;
}

/** One tab of the lab: a folder whose index.ts exports a `Demo`. Mounting returns the way to end it. */
export interface Demo {
  mount(place: Place): Promise<() => void>;
}
