// @ts-check

/**
 * GET /api/owui/proof?number=...: proves to whoever asks that this server has the key, see proof.py.
 *
 * Without the key in its environment a server proves nothing. The number's form is fixed, so that nobody can have
 * other texts signed.
 */

const NUMBER = /^[0-9a-f]{32}$/;

/** @param {core.RequestEvent} e */
function answer(e) {
  const key = $os.getenv("OWUI_KEY");
  const number = e.request.url?.query().get("number") || "";
  if (!key || !NUMBER.test(number)) {
    return e.json(404, { status: 404, code: "no_key", message: "This server has no key." });
  }
  return e.json(200, { code: $security.hs256(`${number}|${$os.getenv("OWUI_LISTEN")}`, key) });
}

module.exports = { answer };
