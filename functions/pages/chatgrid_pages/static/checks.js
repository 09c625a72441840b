/** What can be said of a key's form before the API is asked. Whatever is left to find, the API finds. */

import { lines, notes } from "./said.js";
import { settings } from "./settings.js";

const LONGEST_NAME = 64;
const MOST_CREDITS = 1_000_000_000;
const MOST = { allowed_origins: 20, allowed_ips: 20, permissions: 50, metadata: 16 };
const NOTES_BYTES = 2_048;
const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|[\da-f.]*:[\da-f:.]*)(\/\d{1,3})?$/i;
const PERMISSION = /^(\*|[a-z0-9_-]{1,64}:(\*|[a-z0-9_-]{1,64}))$/;

/** For each field, what is wrong with what stands in the form; "" for nothing. */
export const CHECKS = {
  name(form) {
    const name = form.get("name");
    if (name.trim() === "") return "Give the key a name.";
    const length = [...name].length;
    return length > LONGEST_NAME ? `${LONGEST_NAME} characters at most; these are ${length}.` : "";
  },
  allowed_origins(form) {
    if (!lines(form.get("allowed_origins"))) return "Name at least one, such as https://app.example.com.";
    return each(form, "allowed_origins", isOrigin, "no origin such as https://app.example.com");
  },
  scopes(form) {
    return form.getAll("scopes").length === 0 ? "Choose at least one." : "";
  },
  rate_limit(form) {
    const limit = form.get("rate_limit").trim();
    return limit === "" ? "" : whole(limit, 1, settings.limitCeiling);
  },
  expires_at(form) {
    if (form.get("expiry") !== "exact") return "";
    if (!form.get("expires_at")) return "Choose a date and a time.";
    return new Date(form.get("expires_at")) <= Date.now() ? "Choose a time that is still to come." : "";
  },
  allowed_ips(form) {
    return each(form, "allowed_ips", (one) => ADDRESS.test(one), "no address such as 192.0.2.7 or 2001:db8::/32");
  },
  permissions(form) {
    return each(form, "permissions", (one) => PERMISSION.test(one), "no permission such as boards:read");
  },
  credits(form) {
    const left = form.get("credits").trim();
    if (left === "") return form.get("refill") ? "Say how many it has now." : "";
    return whole(left, 0, MOST_CREDITS);
  },
  amount(form) {
    return whole(form.get("amount").trim(), 1, MOST_CREDITS);
  },
  metadata(form) {
    const text = form.get("metadata");
    const wrong = text.split("\n").find((line) => line.trim() && !/^\s*[^=\s][^=]*=/.test(line));
    if (wrong) return `“${wrong.trim()}” is no name = value.`;
    const found = [...notes(text)];
    if (found.length > MOST.metadata) return `${MOST.metadata} at most; these are ${found.length}.`;
    return new TextEncoder().encode(found.flat().join("")).length > NOTES_BYTES ? `${NOTES_BYTES.toLocaleString("en")} bytes at most, in all.` : "";
  },
};

function whole(text, least, most) {
  return /^\d{1,15}$/.test(text) && text >= least && text <= most ? "" : `A whole number from ${least} to ${most.toLocaleString("en")}.`;
}

function each(form, field, isFine, words) {
  const found = lines(form.get(field)) ?? [];
  const wrong = found.find((one) => !isFine(one));
  if (wrong) return `“${wrong}” is ${words}.`;
  return found.length > MOST[field] ? `${MOST[field]} at most; these are ${found.length}.` : "";
}

function isOrigin(text) {
  return URL.canParse(text) && new URL(text).origin === text;
}
