import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Menu, MenuItem, MenuTrigger } from '@backstage/ui';
import { ErrorGroup } from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  RiArrowGoBackLine,
  RiCheckLine,
  RiGitMergeLine,
  RiTicketLine,
  RiUserLine,
  RiVolumeMuteLine,
} from '@remixicon/react';
import { useState } from 'react';
import { useMay } from '../../hooks/useMay';
import { Row } from '../../components/Row';
import { deadLetterTranslationRef } from '../../translation';
import { Change, ChangeDialog } from '../squad/ChangeDialog';
import { MUTES, useSayMute } from '../squad/mutes';
import { CareDialog, CareKind } from './CareDialog';
import { MergeDialog } from './MergeDialog';

interface TriageButtonsProps {
  group: ErrorGroup;
  /** The entity whose permissions count. */
  resourceRef: string;
}

/** Resolves, mutes, reopens, assigns, links and merges a group. Nothing for those who may not. */
export function TriageButtons({ group, resourceRef }: TriageButtonsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const sayMute = useSayMute();
  const [change, setChange] = useState<Change>();
  const [care, setCare] = useState<CareKind | 'merge'>();
  const close = () => setCare(undefined);
  const { allowed } = useMay('triage', {
    services: [group.service],
    resourceRef,
  });
  if (!allowed) return null;
  const isSettled = group.state === 'resolved' || group.state === 'muted';
  return (
    <Row>
      {group.state !== 'resolved' && (
        <Button
          variant="secondary"
          iconStart={<RiCheckLine />}
          onPress={() => setChange('resolve')}
        >
          {t('squad.change.resolveMenu')}
        </Button>
      )}
      {isSettled && (
        <Button
          variant="secondary"
          iconStart={<RiArrowGoBackLine />}
          onPress={() => setChange('reopen')}
        >
          {t('squad.change.reopenMenu')}
        </Button>
      )}
      <MenuTrigger>
        <Button variant="secondary" iconStart={<RiVolumeMuteLine />}>
          {t('squad.change.mute')}
        </Button>
        <Menu>
          {MUTES.map(choice => (
            <MenuItem key={choice} onAction={() => setChange(choice)}>
              {sayMute(choice, group)}
            </MenuItem>
          ))}
        </Menu>
      </MenuTrigger>
      <Button
        variant="secondary"
        iconStart={<RiUserLine />}
        onPress={() => setCare('assign')}
      >
        {t('group.care.assignMenu')}
      </Button>
      <Button
        variant="secondary"
        iconStart={<RiTicketLine />}
        onPress={() => setCare('link')}
      >
        {t('group.care.linkMenu')}
      </Button>
      <Button
        variant="secondary"
        iconStart={<RiGitMergeLine />}
        onPress={() => setCare('merge')}
      >
        {t('group.merge.menu')}
      </Button>
      {care === 'merge' && <MergeDialog group={group} onClose={close} />}
      {care && care !== 'merge' && (
        <CareDialog group={group} kind={care} onClose={close} />
      )}
      {change && (
        <ChangeDialog
          group={group}
          change={change}
          onClose={() => setChange(undefined)}
        />
      )}
    </Row>
  );
}
