import type { Demo } from "./demo.ts";
import { h } from "./kit/dom.ts";

/** The lab's tabs. Each is loaded when it is opened; the address is #id?state. */
const demos: readonly { id: string; title: string; load: () => Promise<{ demo: Demo }> }[] = [
  { id: "playground", title: "Playground", load: () => import("./playground/index.ts") },
  { id: "crystals", title: "Crystals", load: () => import("./crystals/index.ts") },
  { id: "vision", title: "Convolution", load: () => import("./vision/index.ts") },
  { id: "graphs", title: "Graphs", load: () => import("./graphs/index.ts") },
];

const host = document.querySelector("main")!;
const status = document.querySelector<HTMLElement>("#status")!;
const tabs = document.querySelector("nav")!;
let leave: () => void = () => {};
/** Counts openings: a demo that loads slowly must not appear over its successor. */
let opening = 0;

async function open(): Promise<void> {
  const turn = ++opening;
  const [id, query = ""] = location.hash.slice(1).split("?");
  const { title, load, ...rest } = demos.find((demo) => demo.id === id) ?? demos[0];
  leave();
  leave = () => {};
  tabs.replaceChildren(
    ...demos.map((demo) =>
      h("a", { href: `#${demo.id}`, ariaCurrent: demo.id === rest.id ? "page" : null }, demo.title),
    ),
  );
  document.title = `${title} · spinel lab`;
  host.replaceChildren();
  say("Loading …");
  try {
    const { demo } = await load();
    if (turn !== opening) return;
    const end = await demo.mount({
      host,
      query,
      remember: (state) => history.replaceState(null, "", `#${rest.id}?${state}`),
      say,
    });
    if (turn === opening) leave = end;
    else end();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
  }
}

function say(text: string): void {
  status.textContent = text;
}

addEventListener("hashchange", open);
open();
