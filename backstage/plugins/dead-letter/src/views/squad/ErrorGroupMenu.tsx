import {
  useAppNavigate,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import {
  ButtonIcon,
  Menu,
  MenuItem,
  MenuSection,
  MenuTrigger,
} from '@backstage/ui';
import { ErrorGroup } from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  RiArrowGoBackLine,
  RiCheckLine,
  RiMore2Line,
  RiStickyNoteLine,
  RiVolumeMuteLine,
} from '@remixicon/react';
import { useState } from 'react';
import { useGroupPath } from '../../hooks/useGroupPath';
import { deadLetterTranslationRef } from '../../translation';
import { Change, ChangeDialog } from './ChangeDialog';
import { NoteDialog } from './NoteDialog';
import { MUTES, useSayMute } from './mutes';
import { useTitle } from './useTitle';

/** What can be said about a group, and the way to where all else can be done. */
export function ErrorGroupMenu({ group }: { group: ErrorGroup }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const title = useTitle(group);
  const sayMute = useSayMute();
  const navigate = useAppNavigate();
  const groupPath = useGroupPath();
  const [asked, setAsked] = useState<Change | 'note'>();
  const done = group.state === 'resolved' || group.state === 'muted';
  const close = () => setAsked(undefined);
  return (
    <>
      <MenuTrigger>
        <ButtonIcon
          size="small"
          variant="tertiary"
          aria-label={t('squad.change.menu', { title })}
          icon={<RiMore2Line />}
        />
        <Menu placement="bottom end">
          <MenuItem onAction={() => navigate(groupPath(group.id))}>
            {t('squad.change.open')}
          </MenuItem>
          {group.state !== 'resolved' && (
            <MenuItem
              iconStart={<RiCheckLine />}
              onAction={() => setAsked('resolve')}
            >
              {t('squad.change.resolveMenu')}
            </MenuItem>
          )}
          {done && (
            <MenuItem
              iconStart={<RiArrowGoBackLine />}
              onAction={() => setAsked('reopen')}
            >
              {t('squad.change.reopenMenu')}
            </MenuItem>
          )}
          <MenuItem
            iconStart={<RiStickyNoteLine />}
            onAction={() => setAsked('note')}
          >
            {t('squad.change.note')}
          </MenuItem>
          <MenuSection title={t('squad.change.mute')}>
            {MUTES.map(choice => (
              <MenuItem
                key={choice}
                iconStart={<RiVolumeMuteLine />}
                onAction={() => setAsked(choice)}
              >
                {sayMute(choice, group)}
              </MenuItem>
            ))}
          </MenuSection>
        </Menu>
      </MenuTrigger>
      {asked === 'note' && <NoteDialog group={group} onClose={close} />}
      {asked && asked !== 'note' && (
        <ChangeDialog group={group} change={asked} onClose={close} />
      )}
    </>
  );
}
