/** What can be said of a key's form before the API is asked. Whatever is left to find, the API finds. */

import { settings } from "./settings.js";

const LONGEST_NAME = 64;

/** For each field, what is wrong with what stands in the form; "" for nothing. */
export const CHECKS = {
  name(form) {
    const name = form.get("name");
    if (name.trim() === "") return "Give the key a name.";
    const length = [...name].length;
    return length > LONGEST_NAME ? `${LONGEST_NAME} characters at most; these are ${length}.` : "";
  },
  scopes(form) {
    return form.getAll("scopes").length === 0 ? "Choose at least one." : "";
  },
  rate_limit(form) {
    const limit = form.get("rate_limit").trim();
    const ceiling = settings.limitCeiling.toLocaleString("en");
    if (limit === "" || (/^\d{1,15}$/.test(limit) && limit >= 1 && limit <= settings.limitCeiling)) return "";
    return `A whole number from 1 to ${ceiling}.`;
  },
  expires_at(form) {
    if (form.get("expiry") !== "exact") return "";
    if (!form.get("expires_at")) return "Choose a date and a time.";
    return new Date(form.get("expires_at")) <= Date.now() ? "Choose a time that is still to come." : "";
  },
};
