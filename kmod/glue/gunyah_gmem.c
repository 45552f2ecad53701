// SPDX-License-Identifier: GPL-2.0
/* Guest memory files: zero pages on demand, shared mappings, the list of those mappings that lending looks at, holes. */
/* falloc.h needs the types that this brings */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "compat.h"
#include "gunyah_glue.h"
#include "gunyah_gmemfs.h"
#include "gunyah_strict.h"

/* A host mapping.  The vma may be split or shrunk any time: its range is read where it is needed. */
struct mapping {
	struct list_head in_gmem;
	struct vm_area_struct *vma;
};

struct page *gunyah_gmem_page(struct gunyah_gmem *gmem, u64 offset)
{
	unsigned long index = offset >> PAGE_SHIFT;
	struct page *page;

	if (offset >= gmem->size)
		return NULL;
	page = xa_load(&gmem->pages, index);
	if (page)
		return page;
	page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (page && xa_err(xa_store(&gmem->pages, index, page, GFP_KERNEL))) {
		put_page(page);
		page = NULL;
	}
	return page;
}

bool gunyah_gmem_mapped(struct gunyah_gmem *gmem, u64 offset, u64 size)
{
	u64 first = offset >> PAGE_SHIFT, last = (offset + size - 1) >> PAGE_SHIFT;
	struct mapping *m;

	list_for_each_entry(m, &gmem->vmas, in_gmem) {
		u64 start = READ_ONCE(m->vma->vm_pgoff);

		if (first < start + vma_pages(m->vma) && start <= last)
			return true;
	}
	return false;
}

/* Does a guest hold any page of the range as its own, or (Q10) any that comes after it in its binding? */
static bool held_by_guest(struct gunyah_gmem *gmem, u64 offset, u64 size, bool to_the_end)
{
	struct gunyah_binding *b;
	u64 at, end;

	list_for_each_entry(b, &gmem->bindings, in_gmem) {
		if (!b->lend || offset + size <= b->offset)
			continue;
		end = b->offset + b->size;
		if (!to_the_end)
			end = min(offset + size, end);
		for (at = max(offset, b->offset); at < end; at += PAGE_SIZE) {
			if (b->pages[(at - b->offset) >> PAGE_SHIFT])
				return true;
		}
	}
	return false;
}

static vm_fault_t gmem_fault(struct vm_fault *vmf)
{
	struct gunyah_gmem *gmem = vmf->vma->vm_file->private_data;
	u64 offset = (u64)vmf->pgoff << PAGE_SHIFT;
	vm_fault_t r = VM_FAULT_SIGBUS;
	struct page *page;

	mutex_lock(&gmem->lock);
	if (offset < gmem->size && !held_by_guest(gmem, offset, PAGE_SIZE, false)) {
		page = gunyah_gmem_page(gmem, offset);
		r = page ? 0 : VM_FAULT_OOM;
		if (page) {
			get_page(page);
			vmf->page = page;
		}
	}
	mutex_unlock(&gmem->lock);
	return r;
}

static void mapping_add(struct gunyah_gmem *gmem, struct vm_area_struct *vma)
{
	struct mapping *m = kmalloc(sizeof(*m), GFP_KERNEL | __GFP_NOFAIL);

	m->vma = vma;
	list_add(&m->in_gmem, &gmem->vmas);
}

static void gmem_vma_open(struct vm_area_struct *vma)
{
	struct gunyah_gmem *gmem = vma->vm_file->private_data;

	mutex_lock(&gmem->lock);
	mapping_add(gmem, vma);
	mutex_unlock(&gmem->lock);
}

static void gmem_vma_close(struct vm_area_struct *vma)
{
	struct gunyah_gmem *gmem = vma->vm_file->private_data;
	struct mapping *m;

	mutex_lock(&gmem->lock);
	list_for_each_entry(m, &gmem->vmas, in_gmem) {
		if (m->vma == vma) {
			list_del(&m->in_gmem);
			kfree(m);
			break;
		}
	}
	mutex_unlock(&gmem->lock);
}

static const struct vm_operations_struct gmem_vm_ops = {
	.open = gmem_vma_open,
	.close = gmem_vma_close,
	.fault = gmem_fault,
};

static int gmem_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct gunyah_gmem *gmem = file->private_data;
	int r = -EBUSY;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	mutex_lock(&gmem->lock);
	if (!held_by_guest(gmem, (u64)vma->vm_pgoff << PAGE_SHIFT, vma->vm_end - vma->vm_start, strict(V17_Q10))) {
		/* never merged with a neighbour: the list of mappings knows each by its address */
		vm_flags_set(vma, VM_DONTEXPAND);
		vma->vm_ops = &gmem_vm_ops;
		mapping_add(gmem, vma);
		r = 0;
	}
	mutex_unlock(&gmem->lock);
	return r;
}

static int gmem_release(struct inode *inode, struct file *file)
{
	struct gunyah_gmem *gmem = file->private_data;
	unsigned long index;
	struct page *page;

	xa_for_each(&gmem->pages, index, page)
		__free_page(page);
	xa_destroy(&gmem->pages);
	kfree(gmem);
	gunyah_gmemfs_gone();
	return 0;
}

/* --- holes, allocation, size ---------------------------------------------------------------------------------------------- */

/* The guests that share the range forget its pages.  Caller holds gmem->lock, so that none of them comes back meanwhile. */
static void take_from_guests(struct gunyah_gmem *gmem, u64 offset, u64 size)
{
	struct gunyah_binding *b;
	u64 at;

	list_for_each_entry(b, &gmem->bindings, in_gmem) {
		if (offset >= b->offset + b->size || offset + size <= b->offset)
			continue;
		for (at = max(offset, b->offset); at < min(offset + size, b->offset + b->size); at += PAGE_SIZE)
			WRITE_ONCE(b->pages[(at - b->offset) >> PAGE_SHIFT], NULL);
		gunyah_flush_vcpus(b->vm);
	}
}

static void free_pages_of(struct gunyah_gmem *gmem, u64 offset, u64 size)
{
	unsigned long index;
	struct page *page;

	xa_for_each_range(&gmem->pages, index, page, offset >> PAGE_SHIFT, (offset + size - 1) >> PAGE_SHIFT) {
		xa_erase(&gmem->pages, index);
		put_page(page);
	}
}

/* Whoever looks there again finds zeros.  -EBUSY: a guest holds some of it as its own. */
static int punch(struct gunyah_gmem *gmem, struct inode *inode, u64 offset, u64 size)
{
	int r = -EBUSY;

	mutex_lock(&gmem->lock);
	if (!held_by_guest(gmem, offset, size, false)) {
		take_from_guests(gmem, offset, size);
		unmap_mapping_range(inode->i_mapping, offset, size, 1);
		free_pages_of(gmem, offset, size);
		r = 0;
	}
	mutex_unlock(&gmem->lock);
	return r;
}

static int allocate(struct gunyah_gmem *gmem, u64 offset, u64 size)
{
	u64 at;
	bool got;

	for (at = offset; at < offset + size; at += PAGE_SIZE) {
		if (signal_pending(current))
			return -EINTR;
		mutex_lock(&gmem->lock);
		got = gunyah_gmem_page(gmem, at);
		mutex_unlock(&gmem->lock);
		if (!got)
			return -ENOMEM;
		cond_resched();
	}
	return 0;
}

static long gmem_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct gunyah_gmem *gmem = file->private_data;
	u64 end = (u64)offset + len, size = READ_ONCE(gmem->size);
	int r = 0;

	if (!(mode & FALLOC_FL_KEEP_SIZE) || (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)))
		return -EOPNOTSUPP;
	if (!PAGE_ALIGNED(offset | len))
		return -EINVAL;
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		r = punch(gmem, file_inode(file), offset, len);
	if (r || (mode & FALLOC_FL_PUNCH_HOLE))
		return r;
	return end > size ? -EINVAL : allocate(gmem, offset, len);
}

/* Only the size can be changed: what lies beyond a smaller one is gone. */
static int gmem_setattr(COMPAT_IDMAP struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct gunyah_gmem *gmem;
	u64 size = attr->ia_size;
	int r = 0;

	/* by an open file only: a path may outlive it */
	if (!(attr->ia_valid & ATTR_SIZE) || !(attr->ia_valid & ATTR_FILE))
		return -EPERM;
	gmem = attr->ia_file->private_data;
	if (!PAGE_ALIGNED(size))
		return -EINVAL;
	if (size < gmem->size)
		r = punch(gmem, inode, size, gmem->size - size);
	if (r)
		return r;
	mutex_lock(&gmem->lock);
	WRITE_ONCE(gmem->size, size);
	i_size_write(inode, size);
	mutex_unlock(&gmem->lock);
	return 0;
}

static const struct inode_operations gmem_iops = {
	.setattr = gmem_setattr,
};

static const struct file_operations gmem_fops = {
	.owner = THIS_MODULE,
	.mmap = gmem_mmap,
	.fallocate = gmem_fallocate,
	.release = gmem_release,
};

long gunyah_gmem_create(const struct gunyah_create_mem_args *args)
{
	struct gunyah_gmem *gmem;
	struct file *file;
	int fd;

	if (!PAGE_ALIGNED(args->size) || args->size > MAX_LFS_FILESIZE)
		return -EINVAL;
	if (args->flags & ~(u64)(GHMF_CLOEXEC | GHMF_ALLOW_HUGEPAGE))
		return -EINVAL;
	gmem = kzalloc(sizeof(*gmem), GFP_KERNEL);
	if (!gmem)
		return -ENOMEM;
	mutex_init(&gmem->lock);
	xa_init(&gmem->pages);
	INIT_LIST_HEAD(&gmem->vmas);
	INIT_LIST_HEAD(&gmem->bindings);
	gmem->size = args->size;
	gmem->flags = args->flags;
	fd = get_unused_fd_flags(args->flags & GHMF_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		goto no_fd;
	file = gunyah_gmemfs_file(&gmem_fops, &gmem_iops, gmem, args->size);
	if (IS_ERR(file))
		goto no_file;
	fd_install(fd, file);
	return fd;

no_file:
	put_unused_fd(fd);
	fd = PTR_ERR(file);
no_fd:
	kfree(gmem);
	return fd;
}

struct gunyah_gmem *gunyah_gmem_get(int fd, struct file **file)
{
	*file = fget(fd);
	if (!*file)
		return NULL;
	if ((*file)->f_op != &gmem_fops) {
		fput(*file);
		return NULL;
	}
	return (*file)->private_data;
}
