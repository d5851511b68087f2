/** TODO */
export function SquadTab() {
  return <>SquadTab</>;
}
