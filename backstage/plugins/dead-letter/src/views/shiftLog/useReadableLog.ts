import { ShiftLog } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useReadableServices } from '../../hooks/useReadableServices';

/** The log of the services that whoever looks may see, and whether that is all of it. An operation is shown for one of its services. */
export function useReadableLog(log: ShiftLog): {
  log: ShiftLog;
  isWhole: boolean;
} {
  const ofGroups = [
    ...log.newGroups,
    ...log.regressedGroups,
    ...log.triage.map(({ group }) => group),
  ].map(({ service }) => service);
  const ofOperations = log.operations.flatMap(each => each.services ?? []);
  const mayRead = useReadableServices([...ofGroups, ...ofOperations]);
  const isSeen = (service: string) => mayRead(service) === true;
  const seen: ShiftLog = {
    ...log,
    newGroups: log.newGroups.filter(({ service }) => isSeen(service)),
    regressedGroups: log.regressedGroups.filter(({ service }) =>
      isSeen(service),
    ),
    triage: log.triage.filter(({ group }) => isSeen(group.service)),
    operations: log.operations.filter(
      ({ services }) => !services?.length || services.some(isSeen),
    ),
  };
  return { log: seen, isWhole: ofGroups.concat(ofOperations).every(isSeen) };
}
