// Where in the page somebody is. It stands in the address behind `#`, so that it can be kept, shared and gone back to.

import { computed, signal } from "@preact/signals";

export const TABS = ["operations", "notifications", "timeline"] as const;
export type Tab = (typeof TABS)[number];

export type Route = { page: "calls"; call: string | null; tab: Tab } | { page: "prompts" };

const hash = signal(location.hash);
addEventListener("hashchange", () => (hash.value = location.hash));

export const route = computed<Route>(() => parse(hash.value));

export function parse(hash: string): Route {
  const [page, call, tab] = hash.replace(/^#\//, "").split("/");
  if (page === "prompts") return { page: "prompts" };
  const known = TABS.find((name) => name === tab) ?? "operations";
  return { page: "calls", call: (page === "calls" && call) || null, tab: known };
}

export function callLink(id: string, tab?: Tab): string {
  return tab && tab !== "operations" ? `#/calls/${id}/${tab}` : `#/calls/${id}`;
}
