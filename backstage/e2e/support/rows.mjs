/** Rows of messages that are drawn: those in sight. */
export const rowsOf = page =>
  page.getByRole('row').filter({ has: page.locator('time') });

/** Opens the first of them. */
export async function openFirst(page) {
  await rowsOf(page)
    .first()
    .getByText(/PaymentDeclined|StockUnknown|AddressInvalid/)
    .first()
    .click();
  await page
    .getByRole('dialog')
    .getByText(/orderId/)
    .first()
    .waitFor();
}

/** How many messages the page lists, drawn or not. */
export async function listedOn(page) {
  const table = page.locator('[role="grid"][aria-rowcount]').first();
  if ((await table.count()) === 0) return rowsOf(page).count();
  // Its header is one of them.
  return Number(await table.getAttribute('aria-rowcount')) - 1;
}
